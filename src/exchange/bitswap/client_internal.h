/*
 * What the files of the client share. Four kinds of objects: sessions, wants (one for each
 * multihash), interests (a session in a want) and asks (what one peer was asked about one want).
 *
 * Invariants: a want is in one list of its owner, the session of its first interest: waiting (to be
 * given to a peer), asked, or starved (nobody left to ask). At most one of its asks is for the
 * block and unanswered: block_ask. An ask is in one list of its peer: unsent, open (by kind, oldest
 * first) or answered.
 */
#pragma once

#include "exchange/bitswap/client.h"
#include "exchange/bitswap/ring.h"

typedef struct cn_want cn_want;
typedef struct cn_session cn_session;
typedef struct cn_interest cn_interest;
typedef struct cn_ask cn_ask;

typedef enum cn_answer {
    CN_ANSWER_NONE,
    CN_ANSWER_HAVE,
    CN_ANSWER_DONT_HAVE,
    CN_ANSWER_LOST, /* silent for too long */
} cn_answer;

struct cn_ask {
    cn_ring node; /* in a list of its peer */
    cn_want *want;
    cn_client_peer *peer;
    cn_ask *next; /* of the want */
    bool is_block;
    bool is_sent;
    uint8_t answer; /* cn_answer */
    uint8_t resent; /* times */
    uint64_t order; /* of sending, at the peer */
    cn_time at;     /* of sending */
};

struct cn_interest {
    cn_ring node; /* of the session */
    cn_session *session;
    cn_want *want;
    cn_interest *next; /* of the want */
    cn_cid cid;        /* as the session names it */
};

typedef enum cn_want_state {
    CN_WANT_WAITING,
    CN_WANT_ASKED,
    CN_WANT_STARVED,
    CN_WANT_ARRIVING, /* came, and is on its way to the store */
} cn_want_state;

struct cn_want {
    cn_ring node; /* in a list of its owner; alone while ARRIVING */
    cn_cid cid;
    cn_session *owner; /* NULL: nobody is interested any more (ARRIVING only) */
    cn_interest *interests;
    cn_ask *asks;
    cn_ask *block_ask;
    cn_want_state state;
    bool is_broadcast; /* counted in the owner's broadcasts */
};

/* A peer in a session. */
typedef struct cn_member {
    cn_client_peer *peer;
    uint64_t blocks;
    uint64_t block_bytes;
    size_t noes; /* since it last had something */
} cn_member;

enum {
    MEMBERS_MAX = 256,
    NOES_MAX = 16,     /* then a peer is no member any more */
    RECENT = 4096,     /* keys remembered that a peer was asked for */
    ORDER_LOST = 2048, /* younger wants were answered by so many: this one was lost */
    RESENT_MAX = 2,
    WANTS_MAX = 1 << 17,
};

struct cn_session {
    cn_id id;
    cn_exchange_sink *sink;
    cn_ring waiting;
    cn_ring asked;
    cn_ring starved;
    cn_ring interests;
    size_t interests_len;
    cn_member *members;
    size_t members_len;
    size_t members_cap;
    size_t broadcasts; /* wants of it that everybody is asked about now */
    uint64_t blocks;
    cn_time progress; /* when something came, or it began to want */
    unsigned idles;   /* times it was told so since then */
    bool is_starving; /* tell it at the next tick */
    bool has_begun;
};

struct cn_client_peer {
    cn_peer_id id;
    void *owner;
    cn_ring node;  /* of the client */
    cn_ring dirty; /* of the client's dirty list, or alone */
    cn_ring unsent;
    cn_ring open[2]; /* want-haves, want-blocks; the oldest first */
    cn_ring answered;
    size_t open_len;        /* unanswered asks, unsent ones included */
    size_t open_blocks_len; /* those for blocks */
    uint64_t order;
    cn_buf cancels;   /* entries */
    uint64_t *recent; /* ends of keys; NULL: none yet */
    size_t recent_len;
    cn_time alive; /* when it last sent anything */
    bool is_usable;
    bool is_silent;
    cn_time silent_since;
    bool is_old;
    /* what it delivers */
    cn_client_peer_stats stats;
    uint64_t haves;
    size_t window;
    uint64_t rate; /* bytes a second */
    uint64_t rate_bytes;
    cn_time rate_since;
    cn_time delivered; /* when a block came last */
    int64_t delay_ns;  /* the least of late: without what waits in queues */
    cn_time delay_at;
    uint64_t block_bytes; /* of a usual block */
};

struct cn_client {
    cn_mem *mem;
    cn_prng prng;
    cn_map wants; /* multihash to cn_want pointer */
    cn_slots sessions;
    cn_ring peers;
    size_t peers_len;
    cn_ring dirty;
    uint32_t sent_seq; /* priorities fall */
    cn_time ticked;
    bool is_pumped; /* nothing has changed since pump went over all sessions */
    cn_client_stats stats;
};

/* client.c */
cn_want *cn_client_find(const cn_client *c, const cn_cid *cid);
/* Put the want back to be given to a peer, before all others. */
void cn_want_again(cn_client *c, cn_want *w);
void cn_want_set(cn_client *c, cn_want *w, cn_want_state state);

/* client_ask.c */
cn_ask *cn_ask_of(const cn_want *w, const cn_client_peer *p);
/* Ask `p`; what it was asked before is raised to asking for the block. False: no memory. */
bool cn_ask_peer(cn_client *c, cn_want *w, cn_client_peer *p, bool is_block);
/* Forget what was asked; where it was sent and not answered it is cancelled. */
void cn_ask_drop(cn_client *c, cn_ask *a, bool cancel);
void cn_ask_drop_all(cn_client *c, cn_want *w, const cn_client_peer *but);
/* It was answered, or will not be. */
void cn_ask_answer(cn_ask *a, cn_answer answer);
/* Send again. */
void cn_ask_resend(cn_client *c, cn_ask *a);
void cn_peer_is_dirty(cn_client *c, cn_client_peer *p);
bool cn_peer_was_asked(const cn_client_peer *p, const cn_cid *cid);
/* A block came after `delay_ns` (0: it was not asked for here): adapt the window. */
void cn_peer_delivered(cn_client_peer *p, size_t bytes, int64_t delay_ns, cn_time now);

/* client_pump.c */
cn_member *cn_session_member(cn_session *s, const cn_client_peer *p);
/* Make it a member; NULL: it is not, for want of memory or room. */
cn_member *cn_session_join(cn_client *c, cn_session *s, cn_client_peer *p);
void cn_session_leave(cn_session *s, const cn_client_peer *p);
/* Wants that nobody was left for may be asked for again. */
void cn_session_feed(cn_client *c, cn_session *s);
