// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of runs. Each CPU has some large pages that it writes runs to, one
 * after the other; a page is begun anew when nobody has a part of it any more.
 * So packets cost no allocation, no page is cleared for them, and what is written
 * is likely in the cache.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/percpu.h>

#include "run.h"

#define LAYA_RUN_PAGE_ORDER	3
#define LAYA_RUN_PAGES		16

/**
 * struct laya_run_pages - pages of a CPU; BH is off while one is taken
 * @pages: In turn; a reference on each.
 * @at: The one in use.
 * @used: Bytes of it.
 */
struct laya_run_pages {
	struct page	*pages[LAYA_RUN_PAGES];
	unsigned int	at;
	unsigned int	used;
};

static DEFINE_PER_CPU(struct laya_run_pages, laya_run_pages);

static struct page *run_alloc_page(void)
{
	const gfp_t gfp = GFP_ATOMIC | __GFP_NOWARN;
	struct page *page;

	page = alloc_pages((gfp | __GFP_COMP | __GFP_NORETRY) &
			   ~__GFP_DIRECT_RECLAIM, LAYA_RUN_PAGE_ORDER);
	return page ?: alloc_page(gfp);
}

/* The page at hand, with at least @size bytes left; NULL: no memory. */
static struct page *run_page(struct laya_run_pages *pool, unsigned int size)
{
	struct page *page = pool->pages[pool->at];

	if (page && page_ref_count(page) == 1)
		pool->used = 0;
	if (page && pool->used + size <= page_size(page))
		return page;

	pool->at = (pool->at + 1) % LAYA_RUN_PAGES;
	pool->used = 0;
	page = pool->pages[pool->at];
	/* Pages of the reserves are for packets that free memory */
	if (page && page_ref_count(page) == 1 && !page_is_pfmemalloc(page) &&
	    size <= page_size(page))
		return page;
	if (page)
		put_page(page);
	page = run_alloc_page();
	if (page && size > page_size(page)) {
		put_page(page);
		page = NULL;
	}
	pool->pages[pool->at] = page;
	return page;
}

/* As laya_run_memory(); none on two pages of PAGE_SIZE when @paged. */
static u8 *run_memory(unsigned int min, unsigned int *bytes, bool paged,
		      struct page **page)
{
	struct laya_run_pages *pool;
	unsigned int end;
	u8 *at = NULL;

	local_bh_disable();
	pool = this_cpu_ptr(&laya_run_pages);
	if (paged && offset_in_page(pool->used) + min > PAGE_SIZE)
		pool->used = ALIGN(pool->used, PAGE_SIZE);
	*page = run_page(pool, min);
	if (*page) {
		get_page(*page);
		at = (u8 *)page_address(*page) + pool->used;
		end = paged ? ALIGN(pool->used + min, PAGE_SIZE) :
			      page_size(*page);
		*bytes = min_t(unsigned int, *bytes, end - pool->used);
		/* What comes next should not share its cache lines */
		pool->used += ALIGN(*bytes, SMP_CACHE_BYTES);
	}
	local_bh_enable();
	return at;
}

/**
 * laya_run_memory - memory for packets
 * @min: Bytes that are needed.
 * @bytes: Bytes that would be good to have, and then those that there are.
 * @page: Where they lie, with a reference for the caller.
 *
 * Return: The memory, not cleared; NULL when there is none.
 */
u8 *laya_run_memory(unsigned int min, unsigned int *bytes, struct page **page)
{
	return run_memory(min, bytes, false, page);
}

/*
 * Does page by page hold as many packets of @size as a run may have, or nearly? There
 * are no more than MAX_SKB_FRAGS pieces.
 */
static bool run_paged(unsigned int size)
{
	unsigned int most = min_t(unsigned int, LAYA_RUN_PACKETS,
				  LAYA_RUN_BYTES / size);

	return PAGE_SIZE / size * MAX_SKB_FRAGS >= most - most / 16;
}

/**
 * laya_run_begin - begin a run
 * @run: Filled in.
 * @skb: Without data, and ours alone.
 * @size: Bytes of each packet but the last.
 */
void laya_run_begin(struct laya_run *run, struct sk_buff *skb,
		    unsigned int size)
{
	run->skb = skb;
	run->size = size;
	run->paged = run_paged(size);
	run->count = 0;
	run->at = NULL;
	run->room = 0;
}

/**
 * laya_run_full - is there no room for another packet?
 * @run: The run.
 *
 * Return: True when there is none.
 */
bool laya_run_full(const struct laya_run *run)
{
	return run->count == LAYA_RUN_PACKETS ||
	       run->skb->len + run->size > LAYA_RUN_BYTES ||
	       (!run->room &&
		skb_shinfo(run->skb)->nr_frags == MAX_SKB_FRAGS);
}

/**
 * laya_run_room - where the next packet goes
 * @run: The run.
 * @n: How many packets are likely to come.
 *
 * Return: Memory for one, not cleared; NULL when the run is full or there is none.
 */
u8 *laya_run_room(struct laya_run *run, unsigned int n)
{
	struct sk_buff *skb = run->skb;
	unsigned int bytes;
	struct page *page;

	if (laya_run_full(run))
		return NULL;
	if (run->room)
		return run->at;

	n = min3(n, LAYA_RUN_PACKETS - run->count,
		 (LAYA_RUN_BYTES - skb->len) / run->size);
	bytes = n * run->size;
	run->at = run_memory(run->size, &bytes, run->paged, &page);
	if (!run->at)
		return NULL;
	run->room = bytes / run->size;
	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page,
			run->at - (u8 *)page_address(page), 0, bytes);
	return run->at;
}

/**
 * laya_run_add - a packet was written
 * @run: The run.
 * @len: Its bytes; less than its room only for the last.
 */
void laya_run_add(struct laya_run *run, unsigned int len)
{
	struct sk_buff *skb = run->skb;

	skb_frag_size_add(&skb_shinfo(skb)->frags[skb_shinfo(skb)->nr_frags - 1],
			  len);
	skb->len += len;
	skb->data_len += len;
	run->at += len;
	run->room--;
	run->count++;
}

/**
 * laya_run_end - no more packets
 * @run: The run; there is none after it.
 *
 * Return: Its skb.
 */
struct sk_buff *laya_run_end(struct laya_run *run)
{
	struct skb_shared_info *shinfo = skb_shinfo(run->skb);
	struct sk_buff *skb = run->skb;

	/* Room was taken, and nothing written */
	if (shinfo->nr_frags &&
	    !skb_frag_size(&shinfo->frags[shinfo->nr_frags - 1]))
		put_page(skb_frag_page(&shinfo->frags[--shinfo->nr_frags]));
	if (run->count > 1)
		shinfo->gso_size = run->size;
	run->skb = NULL;
	return skb;
}

/**
 * laya_run_exit - free the pages
 *
 * Nothing is sent any more.
 */
void laya_run_exit(void)
{
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu)
		for (i = 0; i < LAYA_RUN_PAGES; i++) {
			struct laya_run_pages *pool;

			pool = per_cpu_ptr(&laya_run_pages, cpu);
			if (pool->pages[i])
				put_page(pool->pages[i]);
			pool->pages[i] = NULL;
		}
}
