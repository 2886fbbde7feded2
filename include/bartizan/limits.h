/* Every cap in one place, with its reason. docs/LIMITS.md lists the same; tools/check-limits.sh
 * compares the two. */
#ifndef BARTIZAN_LIMITS_H
#define BARTIZAN_LIMITS_H

/* JSON. Tool schemas of real clients stay below a depth of 20. */
#define BZ_JSON_DEPTH_MAX 64
/* A 64 KiB token-id array is 20,000 nodes; this bounds a tree to about 13 MiB. */
#define BZ_JSON_NODES_MAX 200000
#define BZ_JSON_KEYS_MAX 1024 /* members of one object */
#define BZ_JSON_NUMBER_MAX 64 /* bytes of one number: longer ones only serve to confuse parsers */

/* Requests */
#define BZ_BODY_MAX_DEFAULT (8u << 20) /* bytes; configurable per instance up to BZ_BODY_MAX */
#define BZ_BODY_MAX (64u << 20)
#define BZ_BODY_MIN 1024 /* least that a limit may allow: below it no request would fit */
#define BZ_PATH_MAX 1024 /* longest documented route with an id is below 200 */
#define BZ_QUERY_MAX 1024
#define BZ_CREDENTIAL_MAX 256 /* our keys are 65 bytes */
#define BZ_MODEL_NAME_MAX 200
/* Arena cap = factor x body + BZ_ARENA_BASE: a node takes 64 bytes and comes from 3 of input. */
#define BZ_ARENA_FACTOR 24
#define BZ_ARENA_BASE (256u << 10)

/* Replies. One that is not streamed is collected and checked before a byte of it leaves. */
#define BZ_REPLY_MAX (64u << 20)
/* One SSE event or NDJSON line; Responses repeats the whole output in its last event. */
#define BZ_EVENT_MAX (1u << 20)
/* Upstream error bodies are read up to here, then replaced anyway. */
#define BZ_REPLY_ERROR_MAX (64u << 10)
#define BZ_REPLY_NODES_MAX                                                                         \
    (1u << 20) /* JSON values of a reply: 256 embeddings of 4,096 numbers; at most an 80 MiB tree */
#define BZ_REPLY_TEXT_MAX (1u << 20) /* text replies of admin routes: /metrics is below 4 KiB */

/* Data protection. Choices x (content, reasoning, refusal, tool calls) of one stream */
#define BZ_GUARD_CHANNELS_MAX 256
/* Bytes of a stream's events that wait for undecided text: a match of BZ_DETECT_MATCH_MAX bytes that
 * comes byte by byte, with 20 logprobs each, in four choices */
#define BZ_GUARD_QUEUE_MAX (4u << 20)
#define BZ_CONVERSATION_MAX 64   /* bytes of x-bartizan-conversation */
#define BZ_JUSTIFICATION_MAX 512 /* bytes of x-bartizan-justification */

/* Injection: readings of one text. What lies beyond is noted, and counts against the text. */
#define BZ_READING_DEPTH 3 /* encodings within each other */
#define BZ_READINGS_MAX                                                                            \
    48 /* the canonical form and what decodes to text; honest documents have 3 */
#define BZ_READINGS_BYTES (1u << 20)        /* of decoded text, all readings of a text together */
#define BZ_READING_INFLATE_MAX (256u << 10) /* bytes taken out of one gzip or zlib stream */

/* Leaks: what may not leave */
#define BZ_LEAK_SECRET_MIN 8   /* bytes, and letters and digits: shorter ones are in every text */
#define BZ_LEAK_SECRET_MAX 512 /* bytes of one secret: keys and tokens; longer ones by a part */
#define BZ_LEAK_ITEMS_MAX 256  /* secrets and prompts of one instance */
#define BZ_LEAK_NAME_MAX 64    /* bytes of an item's name, as alerts show it */
#define BZ_LEAK_TEXT_MAX (1u << 20) /* bytes of one prompt text */
#define BZ_LEAK_TAGS_MAX (1u << 20) /* windows of all secrets' forms, and runs of prompts' words */
#define BZ_CANARY_TABLES 32 /* that a worker keeps of conversations, 8 KiB each */
#define BZ_LEAK_KNOWN_MAX 4096 /* runs of words of the prompt that one request may show to know */

/* Policy */
#define BZ_CONFIG_MAX (1u << 20) /* bartizan.yaml */
#define BZ_BACKENDS_MAX 64       /* one machine; a bit per backend in a 64-bit mask */
#define BZ_MODELS_MAX 4096
#define BZ_KEYS_MAX 4000000
#define BZ_ROLES_MAX 64
#define BZ_MODEL_LIST_MAX (4u << 20) /* bytes of a backend's list: Ollama writes 700 for a model */
#define BZ_MODEL_LIST_NAMES_MAX 2048 /* names taken from one backend */

/* Model servers in cages: words of a command, entries of each list of `run` */
#define BZ_RUN_COMMAND_MAX 200
#define BZ_RUN_LIST_MAX 32

/* Schemas, whoever wrote them, and holding a value against one. */
#define BZ_SCHEMA_DEPTH 32 /* schemas within schemas, references followed */
#define BZ_SCHEMA_STEPS                                                                            \
    100000 /* parts of a value times parts of a schema, bytes of patterns' texts */
#define BZ_SCHEMA_PATTERN_MAX                                                                      \
    1024 /* bytes of one pattern: what libraries write for dates has 400 */
#define BZ_SCHEMA_PATTERN_STEPS 512     /* of its automaton, repeats written out */
#define BZ_SCHEMA_PATTERN_TEXT_MAX 8192 /* bytes of a text that has a pattern: four million steps */

/* Tools: schemas of their arguments, and what of one conversation is counted. */
#define BZ_AGENT_SCHEMA_MAX (16u << 10) /* bytes of one schema; it is read for each call */
#define BZ_AGENT_HOSTS_MAX 256          /* hosts that links may lead to */
#define BZ_AGENT_REPEATS 10          /* same call in one conversation, where nothing else is said */
#define BZ_AGENT_CALLS 500           /* calls of one conversation, likewise */
#define BZ_AGENT_HISTORY_MAX 4096    /* calls of a request's history that are told apart */
#define BZ_AGENT_REPLY_CALLS_MAX 128 /* calls in one reply; agents make a handful at once */
#define BZ_AGENT_ARGUMENTS_MAX                                                                     \
    (4u << 20)                         /* bytes of arguments that are put together in one stream */
#define BZ_AGENT_QUEUE_MAX (24u << 20) /* bytes of events that wait for them: a token a piece */
#define BZ_AGENT_NAME_PARTS_MAX 16     /* pieces that the name of one call may come in */

/* MCP: servers, and what one of them may make the gateway keep or look at. */
#define BZ_MCP_SERVERS_MAX 32
#define BZ_MCP_DEFINITIONS_MAX 1024       /* tools, resources, templates, prompts of one server */
#define BZ_MCP_PAGES_MAX 64               /* of one list */
#define BZ_MCP_DEFINITION_MAX (64u << 10) /* bytes of one; models are given all of them */
#define BZ_MCP_LIST_MAX (4u << 20)        /* bytes of one page of a list */
#define BZ_MCP_RESULT_MAX (16u << 20)     /* most that `result_max` may allow */
#define BZ_MCP_RESULT_DEFAULT (1u << 20)
#define BZ_MCP_ID_MAX 128              /* bytes of a message's id; SDKs count from 0 */
#define BZ_MCP_SESSION_MAX 512         /* bytes of a server's session id; SDKs use UUIDs */
#define BZ_MCP_URI_MAX 1024            /* bytes of a resource's URI, or of a template */
#define BZ_MCP_PROMPT_ARGUMENTS_MAX 64 /* of one prompt; it is a form for people */
#define BZ_MCP_SESSION_S 86400         /* seconds after which a client has to begin anew */

/* Data protection: rules of one configuration, and what the policy image keeps of them. */
#define BZ_KEEP_DAYS_MAX 36500 /* of stored bodies: a hundred years */
#define BZ_DATA_RULES_MAX 256
#define BZ_TOOLS_MAX 256 /* lines of `tools`; each name of a tool is compared with all of them */
#define BZ_CUSTOM_WORDS_MAX 4096  /* of one custom type */
#define BZ_DATA_TABLES_MAX 16384  /* distinct tables of actions, 1.5 KiB each */
#define BZ_DATA_CELLS_MAX 262144  /* groups of roles x groups of models x directions x levels */
#define BZ_INJECTION_FILES_MAX 64 /* rule files of the instance's own */
#define BZ_INJECTION_EXCEPTIONS_MAX 64 /* looked through once per request */
/* Arena of one judgement: readings hold a place per byte, decoded ones a MiB in all */
#define BZ_JUDGE_ARENA_BASE (16u << 20)
#define BZ_JUDGE_ARENA_FACTOR 24
#define BZ_SEEN_TEXTS 4096     /* that a worker knows to be judged, or clean of data: 64 KiB each */
#define BZ_PROMPT_RULES_MAX 64 /* of the section `prompts` */
#define BZ_PROMPT_WHOM_MAX 256 /* roles x routes that one of them names */
#define BZ_PROMPT_NAME_MAX 64
#define BZ_SHOW_MODELS_MAX 128 /* models of one Ollama server that are asked for their templates */
#define BZ_TEMPLATE_TOKENS_MAX 128     /* of one model's chat template; big families have some 30 */
#define BZ_TEMPLATE_TOKEN_MAX 64       /* bytes of one of them */
#define BZ_PROMPT_TEXT_MAX (64u << 10) /* a system prompt goes to the model with every request */
#define BZ_BLOB_MAX                                                                                \
    (32u << 20) /* what one other room compiled for workers: rules, weights, prompts */
#define BZ_DETECT_PACK_MAX (48u << 20) /* compiled detectors: built-in types alone are a few MiB */
#define BZ_APPROVALS_MAX                                                                           \
    65536 /* bodies that administrators have let through and that are not expired */

/* Stored bodies. Names of users and conversations have 64 bytes, of models 200. */
#define BZ_STORED_BODY_MAX (8u << 20) /* longer ones are cut and marked */
#define BZ_STORED_NAME_MAX 256
#define BZ_SPOOL_MAX (256u << 20) /* bytes of one worker that wait while bartizand is away */

/* Rules against prompt injection: those that come with Bartizan take a third of each at most. */
#define BZ_RULE_FILE_MAX (1u << 20) /* bytes of one rule file */
#define BZ_RULE_FILES_MAX 64
#define BZ_RULES_MAX 4096
#define BZ_RULE_PATTERNS_MAX 32768   /* each pattern in each of its languages */
#define BZ_RULE_NODES_MAX 100000     /* YAML values of one file */
#define BZ_RULE_EXAMPLE_MAX 4096     /* bytes of one example */
#define BZ_RULE_PACK_MAX (16u << 20) /* bytes of what they are compiled to */

/* Shared memory. nginx workers alive at once, old ones finishing after a reload included. */
#define BZ_LANES_MAX 64
#define BZ_RECORD_MAX 2048      /* one audit record */
#define BZ_RING_DATA (1u << 20) /* bytes of a lane in the audit ring: about 2,500 records */

/* Backups */
#define BZ_BACKUP_CHUNK (256u << 10)      /* a page that changes in the store costs one chunk */
#define BZ_BACKUP_FILES_MAX (4u << 20)    /* two per 256 audit records: 500 million of them */
#define BZ_BACKUP_MANIFEST_MAX (1u << 30) /* some 150 bytes a file */
#define BZ_BACKUP_PATH_MAX 512            /* our own paths are below 100 */
#define BZ_BACKUP_CHAIN_MAX 64            /* archives that build on each other; all are needed */
#define BZ_BACKUP_RECIPIENTS_MAX 16

/* Scans of model files. What is beyond is reported as not checked, never as clean. */
#define BZ_SCAN_BYTES_MAX (4ull << 30) /* decoded from archives and streams of one file, in all */
#define BZ_SCAN_RATIO_MAX 200 /* decoded / stored of one stream; weights do not shrink to a tenth */
#define BZ_SCAN_RATIO_FROM (16u << 20) /* decoded bytes from which the ratio counts */
#define BZ_SCAN_MEMBERS_MAX 100000  /* of all archives in one file; big models have some 10,000 */
#define BZ_SCAN_DEPTH_MAX 8         /* archives in archives */
#define BZ_SCAN_FINDINGS_MAX 200    /* kept per file, the worst ones; the rest is counted */
#define BZ_SCAN_STEPS_MAX 400000000 /* opcodes, tokens, nodes of one file: some seconds */
#define BZ_SCAN_MEMORY_MAX (256u << 20)     /* scratch of one file: a list of 1,000,000 tensors */
#define BZ_SCAN_DICTIONARY_MAX (128u << 20) /* of an LZMA decoder; xz -9 takes 65 MiB */
#define BZ_SCAN_JSON_MAX (64u << 20)        /* one JSON file; the biggest tokenizers have 35 MiB */
#define BZ_SCAN_TEXT_MAX (16u << 20)        /* one YAML, XML, Python or protocol buffer text */
#define BZ_TAR_EXTENTS_MAX 1000000          /* parts of one sparse member of tar: 24 bytes each */
/* HDF5: what the process that runs libhdf5 may take. */
#define BZ_HDF5_MEMORY_MAX (1ull << 30) /* bytes of address space */
#define BZ_HDF5_SECONDS_MAX 20          /* of processor time; twice that by the clock */
#define BZ_HDF5_LIST_MAX (64u << 20)    /* bytes of its answer; configurations are below 10 MiB */
#define BZ_HDF5_COPY_MAX (1ull << 30)   /* a member of an archive, held in memory for it */
/* 7z by libarchive: what that process may take. */
#define BZ_UNPACK_MEMORY_MAX                                                                       \
    (1ull << 30)                 /* bytes of address space; PPMd may ask for four times that */
#define BZ_UNPACK_SECONDS_MAX 60 /* of processor time: PPMd makes 20 MB/s */
#define BZ_UNPACK_LIST_MAX (64u << 20)   /* bytes of its list: 100,000 long names */
#define BZ_UNPACK_BYTES_MAX (1ull << 30) /* of what it unpacks, held in memory */
#define BZ_SCAN_SPOOL_MAX (16u << 20) /* a decoded member up to here is held, not decoded twice */
#define BZ_TENSORS_MAX                                                                             \
    (1u << 20) /* tensors, or records of metadata; the largest models have 100,000 */

/* Chat templates. The longest real ones have 30 KiB, 1,500 nodes and are 20 deep. */
#define BZ_TEMPLATE_MAX (1u << 20)           /* bytes of one */
#define BZ_TEMPLATE_LARGE (128u << 10)       /* bytes from which one is worth a note */
#define BZ_TEMPLATE_NODES_MAX 200000         /* of its tree: 27 MiB */
#define BZ_TEMPLATE_DEPTH_MAX 200            /* of its tree; Python's own recursion ends sooner */
#define BZ_TEMPLATE_STRING_MAX (64ull << 10) /* bytes of a string that is put together */
#define BZ_TEMPLATE_ITEMS_MAX 4096           /* of a list that is put together */
#define BZ_TEMPLATE_STEPS_MAX 1000000        /* of following one; real ones take below 20,000 */
#define BZ_TEMPLATE_RANGE_MAX 100000         /* of range(), as in Jinja's sandbox */
#define BZ_TEMPLATE_LOOPS_MAX 1000000        /* turns of nested loops */

/* Advisories and inventories. */
#define BZ_VERSION_MAX 256      /* bytes of one version; npm's own limit, real ones are below 80 */
#define BZ_NPM_RANGE_MAX 1024   /* bytes of one npm range */
#define BZ_PACKAGE_NAME_MAX 256 /* bytes of a package's name; npm's limit is 214 */
#define BZ_CVSS_MAX 256         /* bytes of a CVSS vector; all metrics of 4.0 together are 200 */
#define BZ_ADVISORY_MAX (8u << 20)       /* bytes of one record; the longest real ones are 2 MiB */
#define BZ_ADVISORY_PACK_MAX (32u << 20) /* bytes of a signed pack */
#define BZ_COMPONENTS_MAX (1u << 20)     /* of one inventory; a big host has 20,000 */
#define BZ_INVENTORY_MEMORY (1u << 30)   /* bytes of one inventory: a kilobyte for each */
#define BZ_INVENTORY_TEXT_MAX 1024       /* bytes of one text of a component */
#define BZ_INVENTORY_FILE_MAX                                                                      \
    (64u << 20)                       /* bytes of a package manager's file; big locks have 10 MiB */
#define BZ_GGUF_HEAD_MAX (256u << 20) /* bytes of a model's head: 256,000 tokens take 10 MiB */
#define BZ_ADVISORY_PATCHES_MAX 256   /* rules of one policy image; a request is held against all */

/* Posture: what an audit reads of a tree that may be anybody's. */
#define BZ_POSTURE_FILE_MAX (24u << 20)  /* of one file; a list of Debian's packages is 9 MiB */
#define BZ_POSTURE_CONFIG_MAX (1u << 20) /* of a configuration, an environment, a unit */
#define BZ_POSTURE_PROCS_MAX 32768
#define BZ_POSTURE_FDS_MAX 4096   /* descriptors of one process */
#define BZ_POSTURE_SOCKS_MAX 8192 /* listening sockets */
#define BZ_POSTURE_UNITS_MAX 4096
#define BZ_POSTURE_CONTAINERS_MAX 1024
#define BZ_POSTURE_SWEEP_MAX 120000 /* files and directories looked at; half a second */
#define BZ_POSTURE_SWEEP_DEPTH 10   /* Hugging Face's cache is 5 below a home */
#define BZ_POSTURE_FILES_MAX 8192   /* of interest, kept */
#define BZ_POSTURE_ARGS_MAX 1024    /* arguments, variables of one process */
#define BZ_POSTURE_ARENA_MAX (40u << 20)
#define BZ_POSTURE_EVIDENCE_MAX 24      /* lines of one finding; more are counted */
#define BZ_POSTURE_GETS_MAX 64          /* loopback requests of one run */
#define BZ_POSTURE_HASH_MAX (64u << 20) /* bytes of models hashed in one run without --deep */

/* Pickles. Beyond each the scan goes on as far as it can, and says what was not followed. */
#define BZ_PICKLE_STACK_MAX (2u << 20) /* values; a long batch is folded into its weight */
#define BZ_PICKLE_MARKS_MAX (4u << 20) /* batches that are open at once */
#define BZ_PICKLE_MEMO_MAX                                                                         \
    (40u << 20)                   /* bytes of memo: 40 million plain values, 10 million others */
#define BZ_PICKLE_FAR_MAX 65536   /* places of the memo far from all others */
#define BZ_PICKLE_TEXTS_MAX 49152 /* texts kept because they could be names */
#define BZ_PICKLE_NAMES_MAX 32768 /* different names imported; big programs have some 1,000 */
#define BZ_PICKLE_ROWS_MAX 65536  /* different argument tuples */
#define BZ_PICKLE_NESTED_MAX (32u << 20) /* bytes written as text that are read as a pickle again */
#define BZ_PICKLE_HUNT_MAX (256u << 20)  /* bytes after the last pickle searched for more */

/* Models: signatures and the registry */
#define BZ_SIGNATURE_MAX (64u << 20) /* bytes of a bundle: some 250 for a file that it covers */
#define BZ_MODEL_FILES_MAX 262144    /* files or shards of one model: 26 TB in shards of 100 MB */
#define BZ_LICENCES_MAX 256          /* of a configuration */
#define BZ_MODEL_FILE_NAME_MAX 1024  /* bytes of one path in a model */

/* Red team: corpora, scenarios, result files, and the texts that it makes. */
#define BZ_RED_FILE_MAX (16u << 20) /* bytes of a corpus, of scenarios, of a result file */
#define BZ_RED_NAME_MAX 64          /* bytes of an id or a name */
#define BZ_RED_SEED_MAX 8192        /* bytes of one attack, twin or content */
#define BZ_RED_FAMILIES_MAX 64
#define BZ_RED_SEEDS_MAX 20000
#define BZ_RED_SLOTS_MAX 256
#define BZ_RED_BOXES_MAX 64 /* sets of tools */
#define BZ_RED_SCENARIOS_MAX 2000
#define BZ_RED_FINDINGS_MAX 1000   /* kept of one run; more are counted */
#define BZ_RED_TEXT_MAX (4u << 20) /* bytes of a text after three mutators, of one reply */
#define BZ_RED_CHANNELS_MAX 65536  /* texts that the oracle tells apart in one reply */
#define BZ_RED_READING_MIN 4       /* shorter readings say nothing */
#define BZ_RED_CANARY 16           /* characters of a canary, as a stolen prompt shows it */
#define BZ_RED_LOOT_MAX 600        /* bytes of a prompt that the model gives away */

#endif
