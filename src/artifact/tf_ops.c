/* TensorFlow: operators that reach out of the graph.
 * Source: tensorflow/core/ops/{script,io,dataset,experimental_dataset,summary,logging,rpc,
 * debug,lookup,parsing}_ops.cc of TensorFlow 2.16, SECURITY.md ("models are programs"). */
#include "tf_int.h"

const struct bz_rule bz_tf_rules[] = {
    {"TF-MALFORMED", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "not a well-formed TensorFlow graph",
     "parsers stop in the middle or read beyond the data", "take the file from its origin again",
     "CWE-20"},
    {"TF-PYTHON", BZ_SEVERITY_CRITICAL, BZ_RULE_MALICIOUS, "an operator that calls Python",
     "runs Python code of the process when the graph runs", "do not load it", "CWE-94"},
    {"TF-LIBRARY", BZ_SEVERITY_CRITICAL, BZ_RULE_MALICIOUS, "an operator that loads native code",
     "loads a shared library into the process", "do not load it", "CWE-114"},
    {"TF-FILE", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS, "an operator that reads or writes any file",
     "reads files of the machine into the model's answers, or writes them", "do not load it",
     "CWE-73"},
    {"TF-READER", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "an operator that reads data files",
     "opens files that the graph names; training graphs have it, served models do not",
     "export the model without its input pipeline", "CWE-73"},
    {"TF-NETWORK", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS, "an operator that opens connections",
     "sends data to an address that the graph names", "do not load it", "CWE-918"},
    {"TF-STREAM", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS, "an operator that writes to a place by name",
     "writes a file or sends tensors to an address", "do not load it", "CWE-73"},
    {"TF-CUSTOM-OP", BZ_SEVERITY_LOW, BZ_RULE_SUSPICIOUS, "an operator of another package",
     "needs a native library that is not part of the model", "use it only with that package", ""},
    {"TF-ABORT", BZ_SEVERITY_MEDIUM, BZ_RULE_SUSPICIOUS, "an operator that ends the process",
     "stops the server when the graph runs", "do not serve it", "CWE-730"},
    {"TF-ASSET", BZ_SEVERITY_HIGH, BZ_RULE_MALICIOUS,
     "an asset that leads out of the model's folder",
     "reads another file of the machine as part of the model", "do not load it", "CWE-22"},
    {"TF-DEEP", BZ_SEVERITY_HIGH, BZ_RULE_MALFORMED, "nested too deeply",
     "exhausts the stack of what reads it", "do not load it", "CWE-674"},
    {"CAFFE-PYTHON", BZ_SEVERITY_CRITICAL, BZ_RULE_MALICIOUS, "a layer written in Python",
     "imports a module by its name and runs it", "do not load it", "CWE-94"},
    {.id = NULL},
};
_Static_assert(sizeof bz_tf_rules / sizeof bz_tf_rules[0] == BZ_TF_RULES + 1, "a rule for each");

static const char *const python[] = {"PyFunc",  "PyFuncStateless", "EagerPyFunc", "NumpyFunction",
                                     "PyLayer", "PythonOp",        NULL};
static const char *const library[] = {"LoadLibrary", "LoadOpLibrary", NULL};
static const char *const file[] = {"ReadFile",
                                   "WriteFile",
                                   "MatchingFiles",
                                   "MatchingFilesDataset",
                                   "MergeV2Checkpoints",
                                   "LoadDataset",
                                   "SaveDataset",
                                   "SaveDatasetV2",
                                   "DistributedSave",
                                   "SqlDataset",
                                   "SnapshotDataset",
                                   "SnapshotDatasetV2",
                                   "SnapshotDatasetReader",
                                   "SnapshotNestedDatasetReader",
                                   "SnapshotChunkDataset",
                                   "CreateSummaryFileWriter",
                                   "CreateSummaryDbWriter",
                                   "ImportEvent",
                                   "FileSystemSetConfiguration",
                                   "DatasetFromGraph",
                                   "DebugIdentity",
                                   "DebugIdentityV2",
                                   "DebugIdentityV3",
                                   "DebugNanCount",
                                   "DebugNumericSummary",
                                   "DebugNumericSummaryV2",
                                   "StatsAggregatorSetSummaryWriter",
                                   "XlaCustomCall",
                                   "XlaCustomCallV2",
                                   NULL};
static const char *const reader[] = {"WholeFileReader",
                                     "TextLineReader",
                                     "TFRecordReader",
                                     "FixedLengthRecordReader",
                                     "LMDBReader",
                                     "IdentityReader",
                                     "TextLineDataset",
                                     "TFRecordDataset",
                                     "FixedLengthRecordDataset",
                                     "CSVDataset",
                                     "LMDBDataset",
                                     "LoadAndRemapMatrix",
                                     "GenerateVocabRemapping",
                                     "ReaderRead",
                                     "ReaderReadUpTo",
                                     "GcsConfigureCredentials",
                                     "GcsConfigureBlockCache",
                                     NULL};
static const char *const network[] = {"Rpc",
                                      "TryRpc",
                                      "RpcServer",
                                      "RpcServerStart",
                                      "RpcServerRegister",
                                      "RpcClient",
                                      "RpcCall",
                                      "RpcCheckStatus",
                                      "RpcGetValue",
                                      "DataServiceDataset",
                                      "RegisterDataset",
                                      "BigQueryReader",
                                      "BigtableClient",
                                      "KafkaDataset",
                                      "PubSubDataset",
                                      "HttpRequest",
                                      NULL};

bool bz_tf_op_name(struct bz_view op) {
    if (op.n == 0 || op.n > 255)
        return false;
    for (size_t i = 0; i < op.n; i++) {
        uint8_t c = op.p[i];
        bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';
        if (!(letter || c == '_' || (i > 0 && ((c >= '0' && c <= '9') || memchr(">.-/:@", c, 6)))))
            return false;
    }
    return true;
}

/* "DataServiceDatasetV4", "ExperimentalSqlDataset" and "FlexReadFile" are the operator without what
 * stands around it. */
static bool one_of(struct bz_view op, const char *const *list) {
    if (bz_view_in(op, list))
        return true;
    if (op.n > 2 && op.p[op.n - 2] == 'V' && op.p[op.n - 1] >= '1' && op.p[op.n - 1] <= '9')
        return bz_view_in(bz_view_sub(op, 0, op.n - 2), list);
    return false;
}

int bz_tf_op(struct bz_view op) {
    static const char *const heads[] = {"Flex", "Experimental", "_", NULL};
    for (const char *const *h = heads; *h != NULL; h++) {
        struct bz_view head = bz_view_str(*h);
        if (bz_view_starts(op, head))
            op = bz_view_sub(op, head.n, op.n);
    }
    if (one_of(op, python))
        return BZ_TF_PYTHON;
    if (one_of(op, library))
        return BZ_TF_LIBRARY;
    if (one_of(op, file))
        return BZ_TF_FILE;
    if (one_of(op, network))
        return BZ_TF_NETWORK;
    if (one_of(op, reader) || bz_view_starts(op, BZ_V("IO>")))
        return BZ_TF_READER;
    if (bz_view_eq(op, BZ_V("Abort")))
        return BZ_TF_ABORT;
    return op.n != 0 && memchr(op.p, '>', op.n) != NULL ? BZ_TF_CUSTOM : BZ_TF_NONE;
}

int bz_tf_attr(struct bz_view op, struct bz_view key, struct bz_view value) {
    if (bz_view_eq(key, BZ_V("output_stream"))) /* PrintV2: stdout, stderr, log(info), file://... */
        return bz_view_has(value, BZ_V("://")) ? BZ_TF_STREAM : BZ_TF_NONE;
    if (bz_view_eq(key, BZ_V("debug_urls")))
        return value.n != 0 ? BZ_TF_STREAM : BZ_TF_NONE;
    if (bz_view_eq(key, BZ_V("descriptor_source")))
        return value.n == 0 || bz_view_starts(value, BZ_V("local://")) ||
                       bz_view_starts(value, BZ_V("bytes://"))
                   ? BZ_TF_NONE
                   : BZ_TF_FILE;
    (void)op;
    return BZ_TF_NONE;
}
