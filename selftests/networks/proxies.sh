# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2016,SC2154
#
# Real proxies for the conditions, as Debian has them; run.sh sources this. Each
# runs at a node that has both sides, "lan" and "eth0", and fails when the program
# is not installed.

# proxy_squid NODE LINE... - an HTTP proxy at port 3128; the lines of its
# configuration say who may do what
proxy_squid() {
	local node=$1 dir=$topology_dir/$1.squid

	shift
	command -v squid > /dev/null || return
	mkdir -p "$dir"
	chmod 777 "$topology_dir" "$dir"
	{
		printf '%s\n' "http_port 3128" "visible_hostname $node.example.org" \
			"pinger_enable off" "pid_filename $dir/pid" \
			"access_log stdio:$dir/access" "cache_log $dir/cache" \
			"coredump_dir $dir" "cache deny all" "acl CONNECT method CONNECT" \
			"shutdown_lifetime 0 seconds" "$@" "http_access deny all"
	} > "$dir/conf"
	at "$node" squid -N -f "$dir/conf" > "$topology_dir/$node.log" 2>&1 &
	wait_for "at $node ss -Hltn 'sport = :3128' | grep -q ."
}

# proxy_dante NODE - a SOCKS5 proxy at port 1080
proxy_dante() {
	local node=$1 conf=$topology_dir/$1.danted

	command -v danted > /dev/null || return
	cat > "$conf" <<-'END'
		logoutput: stderr
		internal: lan port = 1080
		external: eth0
		socksmethod: none
		clientmethod: none
		client pass { from: 0/0 to: 0/0 }
		socks pass { from: 0/0 to: 0/0 command: connect }
	END
	at "$node" danted -f "$conf" > "$topology_dir/$node.log" 2>&1 &
	wait_for "at $node ss -Hltn 'sport = :1080' | grep -q ."
}

# proxy_redirect NODE PORT - what is inside and means to go to port 443 comes to PORT
# here instead
proxy_redirect() {
	at "$1" nft -f - <<-NFT
		table ip intercept {
			chain in {
				type nat hook prerouting priority dstnat
				iifname "lan" tcp dport 443 redirect to :$2
			}
		}
	NFT
}

# proxy_mitm NODE - opens TLS with certificates of its own, passes nothing but HTTP, and
# verifies the far side by the CA of the test, \$topology_dir/ca.pem
proxy_mitm() {
	local node=$1

	command -v mitmdump > /dev/null || return
	proxy_redirect "$node" 8443
	at "$node" mitmdump --mode transparent --listen-port 8443 --set rawtcp=false \
		--set confdir="$topology_dir/$node.mitm" \
		--set ssl_verify_upstream_trusted_ca="$topology_dir/ca.pem" \
		> "$topology_dir/$node.log" 2>&1 &
	wait_for "at $node ss -Hltn 'sport = :8443' | grep -q ."
}

# proxy_nginx NODE [upgrade] - ends TLS and passes requests on to where their Host
# header says; WebSockets only with "upgrade"
proxy_nginx() {
	local node=$1 dir=$topology_dir/$1.nginx upgrade=

	command -v nginx > /dev/null || return
	[ -z "${2:-}" ] || upgrade='proxy_set_header Upgrade $http_upgrade;
			proxy_set_header Connection $connection_upgrade;'
	mkdir -p "$dir"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 \
		-subj "/CN=box.example.org" -keyout "$dir/key" -out "$dir/cert" \
		2> /dev/null || return
	cat > "$dir/conf" <<-END
		daemon off;
		pid $dir/pid;
		error_log stderr;
		events { }
		http {
			access_log off;
			client_body_temp_path $dir;
			proxy_temp_path $dir;
			fastcgi_temp_path $dir;
			scgi_temp_path $dir;
			uwsgi_temp_path $dir;
			map \$http_upgrade \$connection_upgrade { default upgrade; '' close; }
			server {
				listen 443 ssl;
				ssl_certificate $dir/cert;
				ssl_certificate_key $dir/key;
				location / {
					proxy_pass https://\$http_host;
					proxy_http_version 1.1;
					proxy_ssl_verify off;
					$upgrade
				}
			}
		}
	END
	proxy_redirect "$node" 443
	at "$node" nginx -c "$dir/conf" > "$topology_dir/$node.log" 2>&1 &
	wait_for "at $node ss -Hltn 'sport = :443' | grep -q ."
}

# router_nat64 NODE - 2001:db8:64::/96 is IPv4 for what is inside. Not 64:ff9b::/96:
# tayga leads from there to no address of a test network (RFC 6052, 3.1).
router_nat64() {
	local node=$1 conf=$topology_dir/$1.tayga

	command -v tayga > /dev/null || return
	cat > "$conf" <<-END
		tun-device nat64
		ipv4-addr 192.168.255.1
		prefix 2001:db8:64::/96
		dynamic-pool 192.168.255.0/24
		data-dir $topology_dir
	END
	at "$node" tayga --mktun -c "$conf" > "$topology_dir/$node.log" || return
	topology_ip "$node" "link set nat64 up" "address add 192.168.255.1/32 dev nat64" \
		"route add 192.168.255.0/24 dev nat64" "route add 2001:db8:64::/96 dev nat64"
	at "$node" nft -f - <<-'NFT'
		table ip nat64 {
			chain out {
				type nat hook postrouting priority srcnat
				iifname "nat64" oifname "eth0" masquerade
			}
		}
		table inet nat64 {
			chain through {
				type filter hook forward priority filter - 5
				iifname "nat64" accept
			}
		}
	NFT
	at "$node" tayga --nodetach -c "$conf" >> "$topology_dir/$node.log" 2>&1 &
}
