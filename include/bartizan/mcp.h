/* Model Context Protocol, streamable HTTP: messages, sessions, tool definitions and their pins. Pure; the
 * gateway stands between client and server with it. Source: modelcontextprotocol.io, revisions 2025-03-26,
 * 2025-06-18 and 2025-11-25; threats: docs/MCP.md. */
#ifndef BARTIZAN_MCP_H
#define BARTIZAN_MCP_H

#include <bartizan/arena.h>
#include <bartizan/crypto.h>
#include <bartizan/json.h>
#include <bartizan/limits.h>
#include <bartizan/schema.h>

/* ---- words of the protocol ----------------------------------------------------------------------- */

enum bz_mcp_version { /* older first */
                      BZ_MCP_2025_03_26,
                      BZ_MCP_2025_06_18,
                      BZ_MCP_2025_11_25,
                      BZ_MCP_VERSION_COUNT
};
const char *bz_mcp_version_name(enum bz_mcp_version v); /* "2025-06-18" */
bool bz_mcp_version_from_name(struct bz_view name, enum bz_mcp_version *ret);

enum bz_mcp_method {
    BZ_MCP_INITIALIZE,
    BZ_MCP_PING,
    BZ_MCP_TOOLS_LIST,
    BZ_MCP_TOOLS_CALL,
    BZ_MCP_RESOURCES_LIST,
    BZ_MCP_RESOURCES_TEMPLATES,
    BZ_MCP_RESOURCES_READ,
    BZ_MCP_RESOURCES_SUBSCRIBE,
    BZ_MCP_RESOURCES_UNSUBSCRIBE,
    BZ_MCP_PROMPTS_LIST,
    BZ_MCP_PROMPTS_GET,
    BZ_MCP_COMPLETE,
    BZ_MCP_SET_LEVEL,
    BZ_MCP_SAMPLING,    /* the server asks: a completion of the client's model */
    BZ_MCP_ELICITATION, /* the server asks: something of the user */
    BZ_MCP_ROOTS,       /* the server asks: the client's folders */
    BZ_MCP_N_INITIALIZED,
    BZ_MCP_N_CANCELLED,
    BZ_MCP_N_PROGRESS,
    BZ_MCP_N_ROOTS,
    BZ_MCP_N_MESSAGE,
    BZ_MCP_N_TOOLS,
    BZ_MCP_N_RESOURCES,
    BZ_MCP_N_RESOURCE,
    BZ_MCP_N_PROMPTS,
    BZ_MCP_METHOD_COUNT /* unknown: never passes */
};
#define BZ_MCP_FROM_CLIENT 1u
#define BZ_MCP_FROM_SERVER 2u
struct bz_mcp_method_info {
    const char *name; /* "tools/call" */
    unsigned from;    /* BZ_MCP_FROM_* */
    bool notification;
    bool base;   /* belongs to the protocol itself: cannot be configured away */
    bool passes; /* without `allow` in the configuration */
};
const struct bz_mcp_method_info *bz_mcp_method(enum bz_mcp_method m); /* NULL: none */
enum bz_mcp_method bz_mcp_method_from_name(struct bz_view name);
uint64_t bz_mcp_methods_default(void); /* bit per method that passes without `allow` */
uint64_t bz_mcp_methods_base(void);

/* Of tools and prompts: 1 to 128 of A-Z a-z 0-9 _ - . (2025-11-25, Tool Names): no name needs to be escaped, and none looks
 * like another one but by letters that bz_mcp_same_look knows. */
bool bz_mcp_tool_name_ok(struct bz_view name);
/* Could a reader, or a model, take one for the other? Case, separators, and letters that look alike. */
bool bz_mcp_same_look(struct bz_view a, struct bz_view b);

/* A request of the server that no client gets to see is answered by the client all the same: it gets a ping in its
 * place, whose id says what was asked, and its answer becomes the refusal. No state is kept for it.
 * id: of the server's message. OK; ETOOBIG (its id is too long to be told), ENOMEM. */
enum bz_status bz_mcp_refused_id(enum bz_mcp_method asked, const struct bz_json *id,
                                 struct bz_arena *ar, struct bz_json **ret) BZ_MUST_USE;
/* true: an id of such a ping; what was asked (COUNT: a method that is not known), and the server's own id. */
bool bz_mcp_refused(const struct bz_json *id, struct bz_arena *ar, enum bz_mcp_method *ret_asked,
                    struct bz_json **ret_id);

/* ---- messages ------------------------------------------------------------------------------------ */

enum bz_mcp_kind {
    BZ_MCP_REQUEST,
    BZ_MCP_NOTIFICATION,
    BZ_MCP_RESULT,
    BZ_MCP_ERROR,
    BZ_MCP_KIND_COUNT
};
struct bz_mcp_message { /* lent from the tree */
    enum bz_mcp_kind kind;
    enum bz_mcp_method method; /* of requests and notifications; COUNT: unknown */
    struct bz_json *id;        /* string or integer; NULL: a notification */
    struct bz_json *params;    /* object or NULL */
    struct bz_json *result;    /* object */
    struct bz_json *error;     /* object with code and message */
};
/* One JSON-RPC 2.0 message as MCP has it: no batches, no null ids, no members beyond the known ones,
 * requests and notifications where their method is one. OK; ESYNTAX (diag->why, static). O(members). */
enum bz_status bz_mcp_message_read(struct bz_json *root, struct bz_mcp_message *ret,
                                   struct bz_diag *diag) BZ_MUST_USE;
/* An id: 64-bit integer, or a string of 1 to BZ_MCP_ID_MAX bytes. */
bool bz_mcp_id_ok(const struct bz_json *id);
bool bz_mcp_id_equal(const struct bz_json *a, const struct bz_json *b);

/* ---- sessions ------------------------------------------------------------------------------------ */

/* What a client holds is sealed: the server's own id, and whose session it is. Nobody else's key opens
 * it, and no server's id ever reaches a client. */
struct bz_mcp_session {
    enum bz_mcp_version version; /* as negotiated */
    uint64_t issued;             /* unix seconds */
    struct bz_view upstream;     /* the server's session id; empty: it gave none */
};
#define BZ_MCP_SESSION_TEXT 800 /* bytes of the longest sealed one, as text */
/* whose: what must be the same when it is opened (server, owner, key). OK; ETOOBIG; EINVAL (an upstream
 * id that no header could carry); EINTERNAL. */
enum bz_status bz_mcp_session_seal(const uint8_t key[BZ_KEY_LEN], struct bz_view whose,
                                   const struct bz_mcp_session *s, struct bz_buf *out) BZ_MUST_USE;
/* mem keeps the upstream id. OK; ECORRUPT (not ours, or another's); EEXPIRED (above BZ_MCP_SESSION_S). */
enum bz_status bz_mcp_session_open(const uint8_t key[BZ_KEY_LEN], struct bz_view whose,
                                   struct bz_view text, uint64_t now,
                                   uint8_t mem[BZ_MCP_SESSION_MAX],
                                   struct bz_mcp_session *ret) BZ_MUST_USE;

/* ---- definitions --------------------------------------------------------------------------------- */

enum bz_mcp_what { /* what a server offers, and an administrator approves */
                   BZ_MCP_TOOL,
                   BZ_MCP_RESOURCE,
                   BZ_MCP_TEMPLATE, /* of resources: RFC 6570 */
                   BZ_MCP_PROMPT,
                   BZ_MCP_WHAT_COUNT
};
struct bz_mcp_what_info {
    const char *name; /* "tool" */
    const char *id;   /* member that tells one from another: "name", "uri", "uriTemplate" */
    const char *list; /* member of the result that lists them: "tools" */
    enum bz_mcp_method method; /* that asks for the list */
};
const struct bz_mcp_what_info *bz_mcp_what(enum bz_mcp_what w); /* NULL: none */
bool bz_mcp_what_from_name(struct bz_view name, enum bz_mcp_what *ret);
struct bz_view bz_mcp_definition_name(enum bz_mcp_what w, const struct bz_json *definition);
bool bz_mcp_name_ok(enum bz_mcp_what w, struct bz_view name);
/* Printable ASCII with a scheme, at most BZ_MCP_URI_MAX bytes. */
bool bz_mcp_uri_ok(struct bz_view uri);
/* Literals, {name}, {+name}, {name*}; begins with a literal, and no two expressions touch: others could be read
 * in two ways. */
bool bz_mcp_template_ok(struct bz_view text);
/* Is the URI one that the template stands for? {name} is letters, digits, "-._~" and escapes; {+name} and {name*}
 * may have "/" and "!$&'()*+,;=:@" too. Never: "." and ".." as segments, escaped dots, slashes, controls.
 * O(template * uri). */
bool bz_mcp_uri_fits(struct bz_view text, struct bz_view uri);

/* Canonical text of a definition: members sorted by their bytes, no blanks, shortest escapes, numbers
 * as written; without the top "_meta". `jq -cS 'del(._meta)'` writes the same. Latched in out; ENOMEM. */
enum bz_status bz_mcp_definition_text(const struct bz_json *definition, struct bz_arena *ar,
                                      struct bz_buf *out) BZ_MUST_USE;
/* SHA-256 of it. OK; ESYNTAX (no object with a usable name); ETOOBIG (above BZ_MCP_DEFINITION_MAX);
 * ENOMEM. */
enum bz_status bz_mcp_definition_digest(enum bz_mcp_what w, const struct bz_json *definition,
                                        struct bz_arena *ar, uint8_t out[BZ_HASH_LEN]) BZ_MUST_USE;
/* Can what is sent be held against it? A tool's schemas, a prompt's arguments. OK; ESYNTAX (err: where, what);
 * ENOMEM. */
enum bz_status bz_mcp_definition_check(enum bz_mcp_what w, const struct bz_json *definition,
                                       struct bz_arena *ar, char err[BZ_SCHEMA_ERROR]) BZ_MUST_USE;
/* JSON Schema of a checked prompt's arguments: texts, no others than it names. Latched in out. */
void bz_mcp_prompt_schema(const struct bz_json *definition, struct bz_buf *out);

/* What is odd about a definition, before anybody has looked at it. */
#define BZ_MCP_ODD_NAME 1u      /* no usable name */
#define BZ_MCP_ODD_INVISIBLE 2u /* characters that nobody sees: zero width, tags, direction */
#define BZ_MCP_ODD_CONTROL 4u   /* control tokens of chat templates */
#define BZ_MCP_ODD_ORDERS 8u    /* it speaks to the model: orders, secrecy, other instructions */
#define BZ_MCP_ODD_SAME_NAME                                                                       \
    16u                         /* another server has one of this name, or one that looks like it */
#define BZ_MCP_ODD_MENTIONS 32u /* it names another server, or what one offers */
#define BZ_MCP_ODD_UNDECIDED 64u /* nothing can be held against it: it cannot be approved */
#define BZ_MCP_ODD_SHADOWS (BZ_MCP_ODD_SAME_NAME | BZ_MCP_ODD_MENTIONS)
#define BZ_MCP_ODDS 7
const char *bz_mcp_odd_name(unsigned bit); /* of bit number 0..6: "name", "invisible", ... */
struct bz_mcp_other {                      /* of other servers */
    struct bz_view server, name;
    enum bz_mcp_what what;
};
/* O(strings of the definition * others). UNDECIDED is bz_mcp_definition_check's to say. */
uint32_t bz_mcp_odd(enum bz_mcp_what w, const struct bz_json *definition,
                    const struct bz_mcp_other *others, size_t n);

/* ---- pins in the policy image -------------------------------------------------------------------- */

struct bz_mcp_pin { /* one approved definition */
    enum bz_mcp_what what;
    struct bz_view name;
    uint8_t digest[BZ_HASH_LEN];
    struct bz_view input, output; /* JSON of the schemas, of tools and prompts; may be empty */
    uint64_t since;               /* when it was approved, unix seconds */
};
struct bz_mcp_server {
    struct bz_view name; /* route: /mcp/NAME */
    struct bz_view path; /* at the server */
    uint32_t backend;    /* index in the image */
    uint32_t versions;   /* bit per version */
    uint64_t methods;    /* bit per method */
    uint64_t roles;      /* bit per role of the image */
    uint64_t result_max; /* bytes of one message of the server */
    const struct bz_mcp_pin *pins;
    size_t pins_n;
};
/* OK; EEXISTS (a server or a definition of one twice); EINVAL; ETOOBIG; ENOMEM. */
enum bz_status bz_mcp_compile(const struct bz_mcp_server *s, size_t n,
                              struct bz_buf *out) BZ_MUST_USE;
struct bz_mcp { /* a checked view of a blob; empty: no server */
    struct bz_view bytes;
    uint32_t servers, pins;
};
/* OK; ECORRUPT; EVERSION. O(servers + pins). */
enum bz_status bz_mcp_open(struct bz_view blob, struct bz_mcp *ret) BZ_MUST_USE;
/* One server without its pins, and where those are. false: none of that name. */
struct bz_mcp_route {
    struct bz_mcp_server s; /* s.pins NULL */
    uint32_t pin_first;
};
bool bz_mcp_find(const struct bz_mcp *m, struct bz_view server, struct bz_mcp_route *ret);
bool bz_mcp_pin_find(const struct bz_mcp *m, const struct bz_mcp_route *r, enum bz_mcp_what w,
                     struct bz_view name, struct bz_mcp_pin *ret);
/* A resource of this URI, or the first template that it fits. */
bool bz_mcp_pin_find_uri(const struct bz_mcp *m, const struct bz_mcp_route *r, struct bz_view uri,
                         struct bz_mcp_pin *ret);

#endif
