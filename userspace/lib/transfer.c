// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transfer.h"

/* What curl has a socket watched for */
struct watched {
	uv_poll_t poll;
	struct laya_transfer *transfer;
	curl_socket_t fd;
};

/*
 * Lifetime: one reference is the owner's, one each the timer's and every
 * watched socket's until libuv has let go of them.
 */
struct laya_transfer {
	struct laya_transfer_ops ops;
	void *data;
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer;
	unsigned int refs;
	bool freed;

	struct laya_dial_target target;
	struct laya_dial_options options;
	struct laya_nat64_prefix nat64;
	const char *proxy;		/* the one that may be used, or NULL */
	struct curl_slist *resolve;
	struct curl_slist *connect_to;
	struct laya_dial_evidence evidence;
	int sockets[LAYA_DIAL_MAX_TRIED];	/* that are open, or -1 */

	CURL *stream;			/* for read and write */
	char error[CURL_ERROR_SIZE];	/* curl's words */
};

static void put(struct laya_transfer *transfer)
{
	if (--transfer->refs > 0)
		return;
	curl_slist_free_all(transfer->resolve);
	curl_slist_free_all(transfer->connect_to);
	free((char *)transfer->target.host);
	free((char *)transfer->target.server_name);
	free((char *)transfer->target.alpn);
	free((char *)transfer->target.path);
	free((char *)transfer->options.proxy);
	free((char *)transfer->options.ca_file);
	free(transfer);
}

static void on_timer_closed(uv_handle_t *handle)
{
	put(handle->data);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct watched *watched = handle->data;

	put(watched->transfer);
	free(watched);
}

/* Tell of what has finished; the owner may free the transfer at each. */
static void tell(struct laya_transfer *transfer)
{
	CURLMsg *message;
	CURLcode result;
	CURL *easy;
	int left;

	transfer->refs++;
	while (!transfer->freed) {
		message = curl_multi_info_read(transfer->multi, &left);
		if (!message)
			break;
		if (message->msg != CURLMSG_DONE)
			continue;
		easy = message->easy_handle;
		result = message->data.result;
		transfer->ops.done(transfer, easy, result, transfer->data);
	}
	put(transfer);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watched *watched = poll->data;
	struct laya_transfer *transfer = watched->transfer;
	int running;
	int mask = 0;

	if (status < 0)
		mask = CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		mask |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		mask |= CURL_CSELECT_OUT;
	curl_multi_socket_action(transfer->multi, watched->fd, mask, &running);
	tell(transfer);
}

static void on_timeout(uv_timer_t *timer)
{
	struct laya_transfer *transfer = timer->data;
	int running;

	curl_multi_socket_action(transfer->multi, CURL_SOCKET_TIMEOUT, 0,
				 &running);
	tell(transfer);
}

static int on_curl_timer(CURLM *multi, long milliseconds, void *data)
{
	struct laya_transfer *transfer = data;

	(void)multi;
	if (transfer->freed)
		return 0;
	if (milliseconds < 0)
		uv_timer_stop(&transfer->timer);
	else
		uv_timer_start(&transfer->timer, on_timeout, milliseconds, 0);
	return 0;
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *data,
			  void *socket_data)
{
	struct laya_transfer *transfer = data;
	struct watched *watched = socket_data;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watched)
			uv_close((uv_handle_t *)&watched->poll, on_poll_closed);
		curl_multi_assign(transfer->multi, fd, NULL);
		return 0;
	}
	if (!watched) {
		watched = calloc(1, sizeof(*watched));
		if (!watched)
			return -1;
		if (uv_poll_init(transfer->loop, &watched->poll, fd)) {
			free(watched);
			return -1;
		}
		watched->poll.data = watched;
		watched->transfer = transfer;
		watched->fd = fd;
		transfer->refs++;
		curl_multi_assign(transfer->multi, fd, watched);
	}
	if (what & CURL_POLL_IN)
		events |= UV_READABLE;
	if (what & CURL_POLL_OUT)
		events |= UV_WRITABLE;
	return uv_poll_start(&watched->poll, events, on_poll) ? -1 : 0;
}

/* The sockets that curl has, as far as they are few */
static void replace_socket(struct laya_transfer *transfer, int old, int new)
{
	unsigned int i;

	for (i = 0; i < LAYA_DIAL_MAX_TRIED; i++) {
		if (transfer->sockets[i] == old) {
			transfer->sockets[i] = new;
			return;
		}
	}
}

static bool has_connected(const struct laya_transfer *transfer)
{
	struct sockaddr_storage ss;
	unsigned int i;

	for (i = 0; i < LAYA_DIAL_MAX_TRIED; i++) {
		socklen_t size = sizeof(ss);

		if (transfer->sockets[i] >= 0 &&
		    !getpeername(transfer->sockets[i], (struct sockaddr *)&ss,
				 &size))
			return true;
	}
	return false;
}

/* Each socket is opened here: for its options, and to know what is tried. */
static curl_socket_t on_open_socket(void *data, curlsocktype purpose,
				    struct curl_sockaddr *address)
{
	struct laya_transfer *transfer = data;
	struct laya_dial_evidence *evidence = &transfer->evidence;
	uint32_t mark = transfer->options.mark;
	int fd;

	(void)purpose;
	if (evidence->step < LAYA_DIAL_CONNECT)
		evidence->step = LAYA_DIAL_CONNECT;
	if (evidence->n_tried < LAYA_DIAL_MAX_TRIED &&
	    !laya_address_from_sockaddr(&evidence->tried[evidence->n_tried],
					&address->addr))
		evidence->n_tried++;
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC,
		    address->protocol);
	if (fd < 0)
		return CURL_SOCKET_BAD;
	if (mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark))) {
		close(fd);
		return CURL_SOCKET_BAD;
	}
	laya_transport_limit_segments(fd);
	replace_socket(transfer, -1, fd);
	return fd;
}

static int on_close_socket(void *data, curl_socket_t fd)
{
	replace_socket(data, fd, -1);
	return close(fd);
}

/* What a proxy says in the body of a refusal */
static size_t on_body(char *bytes, size_t size, size_t n, void *data)
{
	(void)bytes;
	(void)data;
	return size * n;
}

static CURLcode on_ssl_context(CURL *easy, void *ctx, void *data)
{
	struct laya_transfer *transfer = data;

	(void)easy;
	/* The proxy's, if it has one, comes first. */
	memset(&transfer->evidence.tls, 0, sizeof(transfer->evidence.tls));
	return laya_tls_watch(ctx, laya_transfer_server_name(transfer),
			      transfer->options.verify,
			      &transfer->evidence.tls) ?
	       CURLE_OUT_OF_MEMORY : CURLE_OK;
}

static const char *proxy_of_environment(void)
{
	static const char *const names[] = {
		"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
	};
	const char *value;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		value = getenv(names[i]);
		if (value && *value)
			return value;
	}
	return NULL;
}

static bool from_environment(const struct laya_transfer *transfer)
{
	return !transfer->options.proxy ||
	       !strcmp(transfer->options.proxy, "environment");
}

static bool is_literal(const char *host, int family)
{
	struct in6_addr any;

	return inet_pton(family, host, &any) == 1;
}

/*
 * A name for an address that is known: a direct connection then takes the
 * address, and a proxy is told the name, for many proxies refuse addresses.
 */
static int list_addresses(struct laya_transfer *transfer)
{
	const struct laya_dial_target *target = &transfer->target;
	const char *name = laya_transfer_server_name(transfer);
	bool in4 = is_literal(target->host, AF_INET);
	bool in6 = is_literal(target->host, AF_INET6);
	char synthetic[INET6_ADDRSTRLEN + 4] = "";
	char line[1024];
	struct in6_addr addr6;
	struct in_addr addr4;

	if (in4 && transfer->options.nat64) {
		inet_pton(AF_INET, target->host, &addr4);
		if (!laya_nat64_synthesise(transfer->options.nat64, &addr4,
					   &addr6)) {
			synthetic[0] = ',';
			synthetic[1] = '[';
			inet_ntop(AF_INET6, &addr6, synthetic + 2,
				  INET6_ADDRSTRLEN);
			strcat(synthetic, "]");
		}
	}
	if (!in4 && !in6) {
		if (!strcmp(name, target->host))
			return 0;
		snprintf(line, sizeof(line), "%s:%u:%s:%u", name, target->port,
			 target->host, target->port);
		transfer->connect_to = curl_slist_append(NULL, line);
		return transfer->connect_to ? 0 : -ENOMEM;
	}
	if (!strcmp(name, target->host)) {
		if (!*synthetic)
			return 0;
		/* What is an address already is not looked up */
		snprintf(line, sizeof(line), "%s:%u:%s:%u", name, target->port,
			 synthetic + 1, target->port);
		transfer->connect_to = curl_slist_append(NULL, line);
		return transfer->connect_to ? 0 : -ENOMEM;
	}
	snprintf(line, sizeof(line), "%s:%u:%s%s%s%s", name, target->port,
		 in6 ? "[" : "", target->host, in6 ? "]" : "", synthetic);
	transfer->resolve = curl_slist_append(NULL, line);
	return transfer->resolve ? 0 : -ENOMEM;
}

static int copy(const char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -ENOMEM : 0;
}

/* All pointers become ours, even if there is no memory for all texts. */
static int copy_texts(struct laya_transfer *transfer,
		      const struct laya_dial_target *target,
		      const struct laya_dial_options *options)
{
	return copy(&transfer->target.host, target->host) |
	       copy(&transfer->target.server_name, target->server_name) |
	       copy(&transfer->target.alpn, target->alpn) |
	       copy(&transfer->target.path, target->path) |
	       copy(&transfer->options.proxy, options->proxy) |
	       copy(&transfer->options.ca_file, options->ca_file);
}

/**
 * laya_transfer_new() - prepare for connections to a target
 * @transfer: where to put it
 * @loop: the loop
 * @target: where to; copied
 * @options: in what way; copied
 * @ops: who is told; copied
 * @data: last argument of each call
 *
 * Return: 0 or -ENOMEM.
 */
int laya_transfer_new(struct laya_transfer **transfer, uv_loop_t *loop,
		      const struct laya_dial_target *target,
		      const struct laya_dial_options *options,
		      const struct laya_transfer_ops *ops, void *data)
{
	static bool curl_is_ready;
	struct laya_transfer *new;

	if (!curl_is_ready && curl_global_init(CURL_GLOBAL_DEFAULT))
		return -ENOMEM;
	curl_is_ready = true;
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->loop = loop;
	laya_transfer_own(new, ops, data);
	uv_timer_init(loop, &new->timer);
	new->timer.data = new;
	new->refs = 2;
	memset(new->sockets, -1, sizeof(new->sockets));

	new->target = *target;
	new->options = *options;
	if (copy_texts(new, target, options))
		goto err;
	if (options->nat64) {
		new->nat64 = *options->nat64;
		new->options.nat64 = &new->nat64;
	}
	new->proxy = from_environment(new) ? proxy_of_environment() :
		     strcmp(options->proxy, "none") ? new->options.proxy : NULL;
	if (list_addresses(new))
		goto err;
	new->multi = curl_multi_init();
	if (!new->multi)
		goto err;
	curl_multi_setopt(new->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(new->multi, CURLMOPT_SOCKETDATA, new);
	curl_multi_setopt(new->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(new->multi, CURLMOPT_TIMERDATA, new);
	*transfer = new;
	return 0;

err:
	laya_transfer_free(new);
	return -ENOMEM;
}

/**
 * laya_transfer_own() - change who is told
 * @transfer: the transfer
 * @ops: who is told; copied
 * @data: last argument of each call
 */
void laya_transfer_own(struct laya_transfer *transfer,
		       const struct laya_transfer_ops *ops, void *data)
{
	transfer->ops = *ops;
	transfer->data = data;
}

/**
 * laya_transfer_free() - give everything back
 * @transfer: the transfer; the handles that it made are gone too, but for
 *	those that were stopped
 */
void laya_transfer_free(struct laya_transfer *transfer)
{
	if (transfer->stream)
		laya_transfer_stop(transfer, transfer->stream);
	curl_multi_cleanup(transfer->multi);
	transfer->freed = true;
	uv_close((uv_handle_t *)&transfer->timer, on_timer_closed);
	put(transfer);
}

/**
 * laya_transfer_easy() - make a handle for the target
 * @transfer: the transfer
 * @tls: speak TLS and HTTP; otherwise no more than a connection is made
 *
 * Return: the handle, to be given to laya_transfer_stop() before the transfer
 * is freed; or NULL without memory.
 */
CURL *laya_transfer_easy(struct laya_transfer *transfer, bool tls)
{
	const struct laya_dial_options *options = &transfer->options;
	const struct laya_dial_target *target = &transfer->target;
	const char *name = laya_transfer_server_name(transfer);
	CURL *easy = curl_easy_init();
	bool in6 = strchr(name, ':');
	char url[1024];

	if (!easy)
		return NULL;
	snprintf(url, sizeof(url), "%s://%s%s%s:%u%s", tls ? "https" : "http",
		 in6 ? "[" : "", name, in6 ? "]" : "", target->port,
		 target->path ? target->path : LAYA_TRANSPORT_PATH);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
	/* A look-up that hangs is left behind, not waited for. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS,
			 (long)options->stagger);
	/* The dial's own comes first, and looks at what is there then. */
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)options->timeout + 1000);
	curl_easy_setopt(easy, CURLOPT_RESOLVE, transfer->resolve);
	curl_easy_setopt(easy, CURLOPT_CONNECT_TO, transfer->connect_to);

	curl_easy_setopt(easy, CURLOPT_PROXY,
			 transfer->proxy ? transfer->proxy : "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY,
			 from_environment(transfer) ? NULL : "");
	curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXYAUTH, CURLAUTH_ANY);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYPEER,
			 (long)options->verify);
	curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYHOST,
			 options->verify ? 2L : 0L);
	if (options->ca_file) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
		curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, options->ca_file);
	}
	if (!tls) {
		curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
		return easy;
	}
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, (long)options->verify);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST,
			 options->verify ? 2L : 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_context);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, transfer);
	return easy;
}

/**
 * laya_transfer_start() - start a handle
 * @transfer: the transfer
 * @easy: its handle
 *
 * Return: 0 or -ENOMEM.
 */
int laya_transfer_start(struct laya_transfer *transfer, CURL *easy)
{
	return curl_multi_add_handle(transfer->multi, easy) ? -ENOMEM : 0;
}

/**
 * laya_transfer_pause() - make a handle fit to be started again
 * @transfer: the transfer
 * @easy: its handle, which has finished
 */
void laya_transfer_pause(struct laya_transfer *transfer, CURL *easy)
{
	curl_multi_remove_handle(transfer->multi, easy);
}

/**
 * laya_transfer_stop() - end a handle and free it
 * @transfer: the transfer
 * @easy: its handle
 */
void laya_transfer_stop(struct laya_transfer *transfer, CURL *easy)
{
	if (transfer->stream == easy)
		transfer->stream = NULL;
	curl_multi_remove_handle(transfer->multi, easy);
	curl_easy_cleanup(easy);
}

/* The port tells, since curl says nothing of it when all went well. */
static bool used_proxy(struct laya_transfer *transfer, CURL *easy,
		       CURLcode result, uint16_t port)
{
	struct laya_dial_evidence *evidence = &transfer->evidence;
	long proxy_error = 0;

	curl_easy_getinfo(easy, CURLINFO_PROXY_ERROR, &proxy_error);
	if (evidence->proxy_code || proxy_error || result == CURLE_PROXY ||
	    result == CURLE_COULDNT_RESOLVE_PROXY)
		return true;
	return evidence->n_tried &&
	       evidence->tried[0].port == port;
}

/* Which proxy is spoken to, if it is, without user and password */
static void describe_proxy(struct laya_transfer *transfer, CURL *easy,
			   CURLcode result)
{
	struct laya_dial_evidence *evidence = &transfer->evidence;
	CURLU *url = curl_url();
	char *shown = NULL;
	char *text = NULL;
	/* curl's own default, whatever the scheme says */
	uint16_t port = laya_transfer_tls_to_proxy(transfer) ? 443 : 1080;

	if (url &&
	    !curl_url_set(url, CURLUPART_URL, transfer->proxy,
			  CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME)) {
		curl_url_set(url, CURLUPART_USER, NULL, 0);
		curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
		curl_url_set(url, CURLUPART_PATH, NULL, 0);
		if (!curl_url_get(url, CURLUPART_PORT, &text, 0))
			port = atoi(text);
		curl_url_get(url, CURLUPART_URL, &shown, 0);
	}
	if (used_proxy(transfer, easy, result, port))
		snprintf(evidence->proxy, sizeof(evidence->proxy), "%s",
			 shown ? shown : "in a form that is not known");
	curl_free(shown);
	curl_free(text);
	curl_url_cleanup(url);
}

static int errno_of(CURLcode result)
{
	switch (result) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return -ENXIO;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return -EINVAL;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
		return -EPROTO;
	default:
		return -ECONNRESET;
	}
}

/* How far it came */
static enum laya_dial_step step_of(struct laya_transfer *transfer, CURL *easy,
				   CURLcode result)
{
	struct laya_dial_evidence *evidence = &transfer->evidence;
	bool through = !*evidence->proxy || evidence->proxy_code / 100 == 2;
	curl_off_t secured = 0;

	if (result == CURLE_COULDNT_RESOLVE_HOST ||
	    result == CURLE_COULDNT_RESOLVE_PROXY ||
	    result == CURLE_COULDNT_CONNECT ||
	    (result == CURLE_OPERATION_TIMEDOUT && !has_connected(transfer)))
		return evidence->step;
	curl_easy_getinfo(easy, CURLINFO_APPCONNECT_TIME_T, &secured);
	if (transfer->target.transport != LAYA_TRANSPORT_HTTPS)
		return *evidence->proxy ? LAYA_DIAL_PROXY : evidence->step;
	if (secured)
		return LAYA_DIAL_HTTP;
	return through || evidence->tls.have_certificate ? LAYA_DIAL_TLS :
	       LAYA_DIAL_PROXY;
}

static int explain_proxy(struct laya_dial_evidence *evidence, int error,
			 const char *what)
{
	if (!evidence->proxy_code || evidence->proxy_code / 100 == 2) {
		snprintf(evidence->text, sizeof(evidence->text),
			 "proxy %s: %s", evidence->proxy, what);
		return error;
	}
	snprintf(evidence->text, sizeof(evidence->text),
		 "proxy %s answered %d%s", evidence->proxy,
		 evidence->proxy_code, evidence->proxy_code == 407 ?
		 ": it wants a user and a password" : "");
	return -EACCES;
}

static void explain_connect(struct laya_transfer *transfer, int error)
{
	struct laya_dial_evidence *evidence = &transfer->evidence;

	if (*evidence->proxy)
		snprintf(evidence->text, sizeof(evidence->text),
			 "cannot connect to proxy %s: %s", evidence->proxy,
			 strerror(-error));
	else
		snprintf(evidence->text, sizeof(evidence->text),
			 "cannot connect to %s port %u: %s",
			 transfer->target.host, transfer->target.port,
			 strerror(-error));
}

/**
 * laya_transfer_explain() - put into the evidence how a handle ended
 * @transfer: the transfer
 * @easy: its handle
 * @result: how; CURLE_OPERATION_TIMEDOUT if it was not waited for
 *
 * Return: 0 or a negative errno.
 */
int laya_transfer_explain(struct laya_transfer *transfer, CURL *easy,
			  CURLcode result)
{
	struct laya_dial_evidence *evidence = &transfer->evidence;
	const char *name = laya_transfer_server_name(transfer);
	int error = errno_of(result);
	long os_error = 0;
	long code = 0;
	const char *what;

	curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &code);
	if (code)
		evidence->proxy_code = code;
	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
	if (transfer->proxy)
		describe_proxy(transfer, easy, result);
	if (result == CURLE_OK)
		return 0;

	evidence->step = step_of(transfer, easy, result);
	if (result == CURLE_COULDNT_CONNECT && os_error)
		error = -os_error;
	what = *transfer->error ? transfer->error : curl_easy_strerror(result);
	switch (evidence->step) {
	case LAYA_DIAL_NAME:
		snprintf(evidence->text, sizeof(evidence->text),
			 "cannot resolve %s: %s", *evidence->proxy ?
			 evidence->proxy : transfer->target.host, what);
		break;
	case LAYA_DIAL_CONNECT:
		explain_connect(transfer, error);
		break;
	case LAYA_DIAL_PROXY:
		error = explain_proxy(evidence, error, what);
		break;
	case LAYA_DIAL_TLS:
		snprintf(evidence->tls.error, sizeof(evidence->tls.error),
			 "%s", what);
		laya_tls_explain(&evidence->tls, name, evidence->text,
				 sizeof(evidence->text));
		break;
	default:
		snprintf(evidence->text, sizeof(evidence->text), "%s: %s",
			 name, what);
		break;
	}
	return error;
}

/**
 * laya_transfer_target() - where it goes
 * @transfer: the transfer
 *
 * Return: its copy of the target.
 */
const struct laya_dial_target *
laya_transfer_target(const struct laya_transfer *transfer)
{
	return &transfer->target;
}

/**
 * laya_transfer_options() - in what way
 * @transfer: the transfer
 *
 * Return: its copy of the options.
 */
const struct laya_dial_options *
laya_transfer_options(const struct laya_transfer *transfer)
{
	return &transfer->options;
}

/**
 * laya_transfer_server_name() - what the server is called in TLS and HTTP
 * @transfer: the transfer
 *
 * Return: its name, or its address if it has none.
 */
const char *laya_transfer_server_name(const struct laya_transfer *transfer)
{
	return transfer->target.server_name ? transfer->target.server_name :
	       transfer->target.host;
}

/**
 * laya_transfer_evidence() - what was seen
 * @transfer: the transfer
 *
 * Return: the evidence, which goes with the transfer.
 */
struct laya_dial_evidence *
laya_transfer_evidence(struct laya_transfer *transfer)
{
	return &transfer->evidence;
}

/**
 * laya_transfer_tls_to_proxy() - does the connection have TLS that is curl's?
 * @transfer: the transfer
 *
 * Return: true if so: its bytes are then not those of its socket.
 */
bool laya_transfer_tls_to_proxy(const struct laya_transfer *transfer)
{
	return transfer->proxy &&
	       !strncasecmp(transfer->proxy, "https://", 8);
}

/**
 * laya_transfer_set_stream() - read and write on a handle from now on
 * @transfer: the transfer
 * @easy: a handle that is connected
 */
void laya_transfer_set_stream(struct laya_transfer *transfer, CURL *easy)
{
	transfer->stream = easy;
}

/**
 * laya_transfer_read() - read from a connection
 * @transfer: the transfer
 * @buf: where to put it
 * @len: how much at most
 *
 * Return: number of bytes, 0 at the end, -EAGAIN, or -ECONNRESET.
 */
ssize_t laya_transfer_read(struct laya_transfer *transfer, void *buf,
			   size_t len)
{
	size_t n = 0;

	switch (curl_easy_recv(transfer->stream, buf, len, &n)) {
	case CURLE_OK:
		return n;
	case CURLE_AGAIN:
		return -EAGAIN;
	default:
		return -ECONNRESET;
	}
}

/**
 * laya_transfer_write() - write to a connection
 * @transfer: the transfer
 * @buf: what
 * @len: how much
 *
 * Return: number of bytes, -EAGAIN, or -EPIPE.
 */
ssize_t laya_transfer_write(struct laya_transfer *transfer, const void *buf,
			    size_t len)
{
	size_t n = 0;

	switch (curl_easy_send(transfer->stream, buf, len, &n)) {
	case CURLE_OK:
		return n;
	case CURLE_AGAIN:
		return -EAGAIN;
	default:
		return -EPIPE;
	}
}
