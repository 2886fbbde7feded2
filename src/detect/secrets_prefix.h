/* Secrets that begin with a literal of their own, sorted by it (bytewise).
 *   X(literal, type, form of what follows, entropy of that in tenths of a bit per byte, check, flags)
 * Forms: see secrets.h and form_class(). From the providers' documentation of their tokens. */
#ifndef DETECT_SECRETS_PREFIX_H
#define DETECT_SECRETS_PREFIX_H

#define SECRETS_PREFIXES(X)                                                                        \
    X("1//0", SECRET_GOOGLE_REFRESH_TOKEN, "k40-160", 35, CHECK_NONE, 0)                           \
    X("4b1d", SECRET_CLICKHOUSE_CLOUD_API_SECRET_KEY, "w38", 35, CHECK_NONE, 0)                    \
    X("A3-", SECRET_1PASSWORD_SECRET_KEY, "A6'-'A11'-'A5'-'A5'-'A5", 30, CHECK_NONE, 0)            \
    X("A3-", SECRET_1PASSWORD_SECRET_KEY, "A6'-'A6'-'A5'-'A5'-'A5'-'A5", 30, CHECK_NONE, 0)        \
    X("A3T", SECRET_AWS_ACCESS_TOKEN, "A1A16", 30, CHECK_NONE, 0)                                  \
    X("ABIA", SECRET_AWS_ACCESS_TOKEN, "A16", 30, CHECK_NONE, 0)                                   \
    X("ABSK", SECRET_AWS_AMAZON_BEDROCK_API_KEY_LONG_LIVED, "e109-269", 35, CHECK_NONE, 0)         \
    X("ACCA", SECRET_AWS_ACCESS_TOKEN, "A16", 30, CHECK_NONE, 0)                                   \
    X("AGE-SECRET-KEY-1", SECRET_AGE_SECRET_KEY, "r58", 25, CHECK_BECH32, 0)                       \
    X("AIza", SECRET_GCP_API_KEY, "k35", 35, CHECK_NONE, 0)                                        \
    X("AKCp", SECRET_ARTIFACTORY_API_KEY, "w69", 35, CHECK_NONE, 0)                                \
    X("AKIA", SECRET_AWS_ACCESS_TOKEN, "A16", 30, CHECK_NONE, 0)                                   \
    X("API-", SECRET_OCTOPUS_DEPLOY_API_KEY, "A26", 30, CHECK_NONE, 0)                             \
    X("AQVN", SECRET_YANDEX_API_KEY, "k35-38", 35, CHECK_NONE, 0)                                  \
    X("ASIA", SECRET_AWS_ACCESS_TOKEN, "A16", 30, CHECK_NONE, 0)                                   \
    X("ATATT3", SECRET_ATLASSIAN_API_TOKEN, "z180-280", 35, CHECK_NONE, 0)                         \
    X("CLOJARS_", SECRET_CLOJARS_API_TOKEN, "w60", 30, CHECK_NONE, 0)                              \
    X("EAAA", SECRET_SQUARE_ACCESS_TOKEN, "k22-60", 30, CHECK_NONE, 0)                             \
    X("EAAC", SECRET_FACEBOOK_PAGE_ACCESS_TOKEN, "w100-450", 35, CHECK_NONE, ROW_LONG)             \
    X("EAAM", SECRET_FACEBOOK_PAGE_ACCESS_TOKEN, "w100-450", 35, CHECK_NONE, ROW_LONG)             \
    X("EZAK", SECRET_EASYPOST_API_TOKEN, "w54", 35, CHECK_NONE, 0)                                 \
    X("EZTK", SECRET_EASYPOST_TEST_API_TOKEN, "w54", 35, CHECK_NONE, 0)                            \
    X("FLWPUBK-", SECRET_FLUTTERWAVE_PUBLIC_KEY, "h32'-X'", 25, CHECK_NONE, 0)                     \
    X("FLWPUBK_TEST-", SECRET_FLUTTERWAVE_PUBLIC_KEY, "h32'-X'", 25, CHECK_NONE, 0)                \
    X("FLWSECK-", SECRET_FLUTTERWAVE_SECRET_KEY, "h32'-X'", 25, CHECK_NONE, 0)                     \
    X("FLWSECK_TEST-", SECRET_FLUTTERWAVE_ENCRYPTION_KEY, "w12", 20, CHECK_NONE, 0)                \
    X("FLWSECK_TEST-", SECRET_FLUTTERWAVE_SECRET_KEY, "h32'-X'", 25, CHECK_NONE, 0)                \
    X("GOCSPX-", SECRET_GOOGLE_OAUTH_CLIENT_SECRET, "k28", 30, CHECK_NONE, 0)                      \
    X("GR1348941", SECRET_GITLAB_RRT, "k20", 30, CHECK_NONE, 0)                                    \
    X("HRKU-AA", SECRET_HEROKU_API_KEY_V2, "k58", 35, CHECK_NONE, 0)                               \
    X("LTAI", SECRET_ALIBABA_ACCESS_KEY_ID, "w12-26", 25, CHECK_NONE, 0)                           \
    X("MII", SECRET_PKCS12_FILE, "b3'IBAzCC'b3'GCSqGSIb3DQEHA'e60-480", 30, CHECK_NONE, ROW_LONG)  \
    X("NRAK-", SECRET_NEW_RELIC_USER_API_KEY, "w27", 30, CHECK_NONE, 0)                            \
    X("NRII-", SECRET_NEW_RELIC_INSERT_KEY, "m32", 30, CHECK_NONE, 0)                              \
    X("NRJS-", SECRET_NEW_RELIC_BROWSER_API_TOKEN, "x19", 25, CHECK_NONE, 0)                       \
    X("PMAK-", SECRET_POSTMAN_API_TOKEN, "h24'-'h34", 30, CHECK_NONE, 0)                           \
    X("SG.", SECRET_SENDGRID_API_TOKEN, "T66", 35, CHECK_NONE, 0)                                  \
    X("SK", SECRET_TWILIO_API_KEY, "h32", 30, CHECK_NONE, 0)                                       \
    X("access-development-", SECRET_PLAID_API_TOKEN, "U", 25, CHECK_NONE, 0)                       \
    X("access-production-", SECRET_PLAID_API_TOKEN, "U", 25, CHECK_NONE, 0)                        \
    X("access-sandbox-", SECRET_PLAID_API_TOKEN, "U", 25, CHECK_NONE, 0)                           \
    X("api-", SECRET_LAUNCHDARKLY_ACCESS_TOKEN, "U", 25, CHECK_NONE, 0)                            \
    X("api_org_", SECRET_HUGGINGFACE_ORGANIZATION_API_TOKEN, "w34", 30, CHECK_NONE, 0)             \
    X("atlasv1.", SECRET_HASHICORP_TF_API_TOKEN, "z60-70", 35, CHECK_NONE, 0)                      \
    X("authress_", SECRET_AUTHRESS_SERVICE_CLIENT_ACCESS_KEY,                                      \
      "m5-30'.'w4-6'.acc'k1m10-32'.'e30-120", 30, CHECK_NONE, 0)                                   \
    X("bedrock-api-key-", SECRET_AWS_AMAZON_BEDROCK_API_KEY_SHORT_LIVED, "e40-490", 35,            \
      CHECK_NONE, ROW_LONG)                                                                        \
    X("bz_", SECRET_BARTIZAN_API_KEY, "w12'_'w49", 30, CHECK_BARTIZAN, 0)                          \
    X("cmVmd", SECRET_ARTIFACTORY_REFERENCE_TOKEN, "w59", 35, CHECK_NONE, 0)                       \
    X("dapi", SECRET_DATABRICKS_API_TOKEN, "x32", 30, CHECK_NONE, 0)                               \
    X("dapi", SECRET_DATABRICKS_API_TOKEN, "x32'-'d1", 30, CHECK_NONE, 0)                          \
    X("dckr_oat_", SECRET_DOCKER_PAT, "k27-40", 30, CHECK_NONE, 0)                                 \
    X("dckr_pat_", SECRET_DOCKER_PAT, "k27-40", 30, CHECK_NONE, 0)                                 \
    X("dnkey-", SECRET_DEFINED_NETWORKING_API_TOKEN, "k26'-'k52", 35, CHECK_NONE, 0)               \
    X("doo_v1_", SECRET_DIGITALOCEAN_ACCESS_TOKEN, "x64", 30, CHECK_NONE, 0)                       \
    X("dop_v1_", SECRET_DIGITALOCEAN_PAT, "x64", 30, CHECK_NONE, 0)                                \
    X("dor_v1_", SECRET_DIGITALOCEAN_REFRESH_TOKEN, "x64", 30, CHECK_NONE, 0)                      \
    X("dp.pt.", SECRET_DOPPLER_API_TOKEN, "w40-44", 30, CHECK_NONE, 0)                             \
    X("dp.st.", SECRET_DOPPLER_API_TOKEN, "t40-70", 30, CHECK_NONE, 0)                             \
    X("dt0c01.", SECRET_DYNATRACE_API_TOKEN, "w24'.'w64", 35, CHECK_NONE, 0)                       \
    X("duffel_live_", SECRET_DUFFEL_API_TOKEN, "z43", 30, CHECK_NONE, 0)                           \
    X("duffel_test_", SECRET_DUFFEL_API_TOKEN, "z43", 30, CHECK_NONE, 0)                           \
    X("ext_", SECRET_AUTHRESS_SERVICE_CLIENT_ACCESS_KEY, "m5-30'.'w4-6'.acc'k1m10-32'.'e30-120",   \
      30, CHECK_NONE, 0)                                                                           \
    X("eyJrIjoi", SECRET_GRAFANA_API_KEY, "e70-400", 35, CHECK_NONE, 0)                            \
    X("figd_", SECRET_FIGMA_API_TOKEN, "k38-46", 30, CHECK_NONE, 0)                                \
    X("fio-u-", SECRET_FRAMEIO_API_TOKEN, "z64", 30, CHECK_NONE, 0)                                \
    X("fm1a_", SECRET_FLYIO_ACCESS_TOKEN, "e100-490", 35, CHECK_NONE, ROW_LONG)                    \
    X("fm1r_", SECRET_FLYIO_ACCESS_TOKEN, "e100-490", 35, CHECK_NONE, ROW_LONG)                    \
    X("fm2_", SECRET_FLYIO_ACCESS_TOKEN, "e100-490", 35, CHECK_NONE, ROW_LONG)                     \
    X("fo1_", SECRET_FLYIO_ACCESS_TOKEN, "s43", 35, CHECK_NONE, 0)                                 \
    X("gho_", SECRET_GITHUB_OAUTH, "w36", 30, CHECK_GITHUB, 0)                                     \
    X("ghp_", SECRET_GITHUB_PAT, "w36", 30, CHECK_GITHUB, 0)                                       \
    X("ghr_", SECRET_GITHUB_REFRESH_TOKEN, "w36", 30, CHECK_GITHUB, 0)                             \
    X("ghr_", SECRET_GITHUB_REFRESH_TOKEN, "w76", 30, CHECK_NONE, 0)                               \
    X("ghs_", SECRET_GITHUB_APP_TOKEN, "w36", 30, CHECK_GITHUB, 0)                                 \
    X("ghu_", SECRET_GITHUB_APP_TOKEN, "w36", 30, CHECK_GITHUB, 0)                                 \
    X("github_pat_", SECRET_GITHUB_FINE_GRAINED_PAT, "s82", 30, CHECK_NONE, 0)                     \
    X("glagent-", SECRET_GITLAB_KUBERNETES_AGENT_TOKEN, "k50", 30, CHECK_NONE, 0)                  \
    X("glc_", SECRET_GRAFANA_CLOUD_API_TOKEN, "e32-400", 30, CHECK_NONE, 0)                        \
    X("glcbt-", SECRET_GITLAB_CICD_JOB_TOKEN, "w1-5'_'w20", 30, CHECK_NONE, 0)                     \
    X("glcbt-", SECRET_GITLAB_CICD_JOB_TOKEN, "k22-26", 30, CHECK_NONE, 0)                         \
    X("gldt-", SECRET_GITLAB_DEPLOY_TOKEN, "k20", 30, CHECK_NONE, 0)                               \
    X("glffct-", SECRET_GITLAB_FEATURE_FLAG_CLIENT_TOKEN, "k20", 30, CHECK_NONE, 0)                \
    X("glft-", SECRET_GITLAB_FEED_TOKEN, "k20", 30, CHECK_NONE, 0)                                 \
    X("glimt-", SECRET_GITLAB_INCOMING_MAIL_TOKEN, "k25", 30, CHECK_NONE, 0)                       \
    X("gloas-", SECRET_GITLAB_OAUTH_APP_SECRET, "k64", 30, CHECK_NONE, 0)                          \
    X("glpat-", SECRET_GITLAB_PAT, "k20", 30, CHECK_NONE, 0)                                       \
    X("glpat-", SECRET_GITLAB_PAT_ROUTABLE, "k27-300'.'a9", 35, CHECK_NONE, 0)                     \
    X("glptt-", SECRET_GITLAB_PTT, "h40", 30, CHECK_NONE, 0)                                       \
    X("glrt-", SECRET_GITLAB_RUNNER_AUTHENTICATION_TOKEN, "k20", 30, CHECK_NONE, 0)                \
    X("glrt-t", SECRET_GITLAB_RUNNER_AUTHENTICATION_TOKEN_ROUTABLE, "d1'_'k27-300'.'a9", 35,       \
      CHECK_NONE, 0)                                                                               \
    X("glsa_", SECRET_GRAFANA_SERVICE_ACCOUNT_TOKEN, "w32'_'h8", 30, CHECK_NONE, 0)                \
    X("glsoat-", SECRET_GITLAB_SCIM_TOKEN, "k20", 30, CHECK_NONE, 0)                               \
    X("gsk_", SECRET_GROQ_API_KEY, "w52", 35, CHECK_NONE, 0)                                       \
    X("hf_", SECRET_HUGGINGFACE_ACCESS_TOKEN, "w34", 30, CHECK_NONE, 0)                            \
    X("hvb.", SECRET_VAULT_BATCH_TOKEN, "k100-400", 35, CHECK_NONE, ROW_LONG)                      \
    X("hvs.", SECRET_VAULT_SERVICE_TOKEN, "k90-200", 35, CHECK_NONE, 0)                            \
    X("ico-", SECRET_INFRACOST_API_TOKEN, "w32", 30, CHECK_NONE, 0)                                \
    X("lin_api_", SECRET_LINEAR_API_KEY, "w40", 30, CHECK_NONE, 0)                                 \
    X("lin_oauth_", SECRET_LINEAR_API_KEY, "x64", 30, CHECK_NONE, 0)                               \
    X("live_", SECRET_LOB_API_KEY, "h35", 30, CHECK_NONE, 0)                                       \
    X("live_pub_", SECRET_LOB_PUB_API_KEY, "h31", 30, CHECK_NONE, 0)                               \
    X("lsv2_pt_", SECRET_LANGSMITH_API_KEY, "x32'_'x10", 30, CHECK_NONE, 0)                        \
    X("lsv2_sk_", SECRET_LANGSMITH_API_KEY, "x32'_'x10", 30, CHECK_NONE, 0)                        \
    X("mob-", SECRET_LAUNCHDARKLY_ACCESS_TOKEN, "U", 25, CHECK_NONE, 0)                            \
    X("nfp_", SECRET_NETLIFY_ACCESS_TOKEN, "w36", 30, CHECK_NONE, 0)                               \
    X("npm_", SECRET_NPM_ACCESS_TOKEN, "w36", 30, CHECK_NONE, 0)                                   \
    X("ntn_", SECRET_NOTION_API_TOKEN, "d11w35", 35, CHECK_NONE, 0)                                \
    X("nvapi-", SECRET_NVIDIA_API_KEY, "k60-70", 35, CHECK_NONE, 0)                                \
    X("ops_eyJ", SECRET_1PASSWORD_SERVICE_ACCOUNT_TOKEN, "e100-500", 35, CHECK_NONE, ROW_LONG)     \
    X("p8e-", SECRET_ADOBE_CLIENT_SECRET, "w32", 25, CHECK_NONE, 0)                                \
    X("pat", SECRET_AIRTABLE_PERSONNAL_ACCESS_TOKEN, "w14'.'x64", 30, CHECK_NONE, 0)               \
    X("pat.", SECRET_HARNESS_API_KEY, "k22'.'h24'.'w20", 30, CHECK_NONE, 0)                        \
    X("pk.", SECRET_MAPBOX_API_TOKEN, "w60-100'.'k22", 30, CHECK_NONE, 0)                          \
    X("pnu_", SECRET_PREFECT_API_TOKEN, "w36", 30, CHECK_NONE, 0)                                  \
    X("pplx-", SECRET_PERPLEXITY_API_KEY, "w48", 35, CHECK_NONE, 0)                                \
    X("pscale_oauth_", SECRET_PLANETSCALE_OAUTH_TOKEN, "T32-64", 30, CHECK_NONE, 0)                \
    X("pscale_pw_", SECRET_PLANETSCALE_PASSWORD, "T32-64", 30, CHECK_NONE, 0)                      \
    X("pscale_tkn_", SECRET_PLANETSCALE_API_TOKEN, "T32-64", 30, CHECK_NONE, 0)                    \
    X("pubkey-", SECRET_MAILGUN_PUB_KEY, "h32", 30, CHECK_NONE, 0)                                 \
    X("pul-", SECRET_PULUMI_API_TOKEN, "x40", 30, CHECK_NONE, 0)                                   \
    X("pypi-AgEIcHlwaS5vcmc", SECRET_PYPI_UPLOAD_TOKEN, "k50-480", 35, CHECK_NONE, ROW_LONG)       \
    X("pypi-AgENdGVzdC5weXBpLm9yZw", SECRET_PYPI_UPLOAD_TOKEN, "k50-480", 35, CHECK_NONE,          \
      ROW_LONG)                                                                                    \
    X("r8_", SECRET_REPLICATE_API_TOKEN, "w37", 35, CHECK_NONE, 0)                                 \
    X("rdme_", SECRET_README_API_TOKEN, "a70", 30, CHECK_NONE, 0)                                  \
    X("rk_live_", SECRET_STRIPE_ACCESS_TOKEN, "w10-99", 25, CHECK_NONE, 0)                         \
    X("rk_prod_", SECRET_STRIPE_ACCESS_TOKEN, "w10-99", 25, CHECK_NONE, 0)                         \
    X("rk_test_", SECRET_STRIPE_ACCESS_TOKEN, "w10-99", 25, CHECK_NONE, 0)                         \
    X("rubygems_", SECRET_RUBYGEMS_API_TOKEN, "x48", 30, CHECK_NONE, 0)                            \
    X("s-s4t2af-", SECRET_INTRA42_CLIENT_SECRET, "h64", 30, CHECK_NONE, 0)                         \
    X("s-s4t2ud-", SECRET_INTRA42_CLIENT_SECRET, "h64", 30, CHECK_NONE, 0)                         \
    X("s.", SECRET_VAULT_SERVICE_TOKEN, "w24", 30, CHECK_MIXED, 0)                                 \
    X("sat.", SECRET_HARNESS_API_KEY, "k22'.'h24'.'w20", 30, CHECK_NONE, 0)                        \
    X("sbp_", SECRET_SUPABASE_ACCESS_TOKEN, "x40", 30, CHECK_NONE, 0)                              \
    X("sc_", SECRET_AUTHRESS_SERVICE_CLIENT_ACCESS_KEY, "m5-30'.'w4-6'.acc'k1m10-32'.'e30-120",    \
      30, CHECK_NONE, 0)                                                                           \
    X("scauth_", SECRET_AUTHRESS_SERVICE_CLIENT_ACCESS_KEY,                                        \
      "m5-30'.'w4-6'.acc'k1m10-32'.'e30-120", 30, CHECK_NONE, 0)                                   \
    X("sdk-", SECRET_LAUNCHDARKLY_ACCESS_TOKEN, "U", 25, CHECK_NONE, 0)                            \
    X("secret_", SECRET_NOTION_API_TOKEN, "w43", 35, CHECK_NONE, 0)                                \
    X("sgp_", SECRET_SOURCEGRAPH_ACCESS_TOKEN, "h40", 30, CHECK_NONE, 0)                           \
    X("sgp_", SECRET_SOURCEGRAPH_ACCESS_TOKEN, "h16'_'h40", 30, CHECK_NONE, 0)                     \
    X("sgp_local_", SECRET_SOURCEGRAPH_ACCESS_TOKEN, "h40", 30, CHECK_NONE, 0)                     \
    X("sha256~", SECRET_OPENSHIFT_USER_TOKEN, "k43", 35, CHECK_NONE, 0)                            \
    X("shippo_live_", SECRET_SHIPPO_API_TOKEN, "h40", 30, CHECK_NONE, 0)                           \
    X("shippo_test_", SECRET_SHIPPO_API_TOKEN, "h40", 30, CHECK_NONE, 0)                           \
    X("shpat_", SECRET_SHOPIFY_ACCESS_TOKEN, "h32", 25, CHECK_NONE, 0)                             \
    X("shpca_", SECRET_SHOPIFY_CUSTOM_ACCESS_TOKEN, "h32", 25, CHECK_NONE, 0)                      \
    X("shppa_", SECRET_SHOPIFY_PRIVATE_APP_ACCESS_TOKEN, "h32", 25, CHECK_NONE, 0)                 \
    X("shpss_", SECRET_SHOPIFY_SHARED_SECRET, "h32", 25, CHECK_NONE, 0)                            \
    X("sk-", SECRET_OPENAI_API_KEY, "w20'T3BlbkFJ'w20", 35, CHECK_NONE, 0)                         \
    X("sk-", SECRET_OPENAI_API_KEY, "w32-64", 35, CHECK_NONE, ROW_FORM)                            \
    X("sk-admin-", SECRET_OPENAI_API_KEY, "k58-250", 35, CHECK_NONE, 0)                            \
    X("sk-ant-admin01-", SECRET_ANTHROPIC_ADMIN_API_KEY, "k80-120", 35, CHECK_NONE, 0)             \
    X("sk-ant-api03-", SECRET_ANTHROPIC_API_KEY, "k80-120", 35, CHECK_NONE, 0)                     \
    X("sk-ant-oat01-", SECRET_ANTHROPIC_API_KEY, "k80-120", 35, CHECK_NONE, 0)                     \
    X("sk-ant-ort01-", SECRET_ANTHROPIC_API_KEY, "k80-120", 35, CHECK_NONE, 0)                     \
    X("sk-ant-sid01-", SECRET_ANTHROPIC_API_KEY, "k80-160", 35, CHECK_NONE, 0)                     \
    X("sk-or-v1-", SECRET_OPENROUTER_API_KEY, "x64", 30, CHECK_NONE, 0)                            \
    X("sk-proj-", SECRET_OPENAI_API_KEY, "k58-250", 35, CHECK_NONE, 0)                             \
    X("sk-svcacct-", SECRET_OPENAI_API_KEY, "k58-250", 35, CHECK_NONE, 0)                          \
    X("sk.", SECRET_MAPBOX_API_TOKEN, "w60-100'.'k22", 30, CHECK_NONE, 0)                          \
    X("sk_live_", SECRET_STRIPE_ACCESS_TOKEN, "w10-99", 25, CHECK_NONE, 0)                         \
    X("sk_prod_", SECRET_STRIPE_ACCESS_TOKEN, "w10-99", 25, CHECK_NONE, 0)                         \
    X("sk_test_", SECRET_STRIPE_ACCESS_TOKEN, "w10-99", 25, CHECK_NONE, 0)                         \
    X("sl.", SECRET_DROPBOX_SHORT_LIVED_API_TOKEN, "z130-250", 35, CHECK_NONE, 0)                  \
    X("sm_aat_", SECRET_SETTLEMINT_APPLICATION_ACCESS_TOKEN, "w16", 25, CHECK_NONE, 0)             \
    X("sm_pat_", SECRET_SETTLEMINT_PERSONAL_ACCESS_TOKEN, "w16", 25, CHECK_NONE, 0)                \
    X("sm_sat_", SECRET_SETTLEMINT_SERVICE_ACCESS_TOKEN, "w16", 25, CHECK_NONE, 0)                 \
    X("sntrys_eyJpYXQiO", SECRET_SENTRY_ORG_TOKEN, "e80-460", 35, CHECK_NONE, 0)                   \
    X("sntryu_", SECRET_SENTRY_USER_TOKEN, "x64", 30, CHECK_NONE, 0)                               \
    X("sq0atp-", SECRET_SQUARE_ACCESS_TOKEN, "k22-60", 30, CHECK_NONE, 0)                          \
    X("sq0csp-", SECRET_SQUARE_ACCESS_TOKEN, "k22-60", 30, CHECK_NONE, 0)                          \
    X("sqa_", SECRET_SONAR_API_TOKEN, "w40", 30, CHECK_NONE, 0)                                    \
    X("sqp_", SECRET_SONAR_API_TOKEN, "w40", 30, CHECK_NONE, 0)                                    \
    X("squ_", SECRET_SONAR_API_TOKEN, "w40", 30, CHECK_NONE, 0)                                    \
    X("t1.", SECRET_YANDEX_ACCESS_TOKEN, "k20-340'.'k86", 35, CHECK_NONE, 0)                       \
    X("test_", SECRET_LOB_API_KEY, "h35", 30, CHECK_NONE, 0)                                       \
    X("test_pub_", SECRET_LOB_PUB_API_KEY, "h31", 30, CHECK_NONE, 0)                               \
    X("tfp_", SECRET_TYPEFORM_API_TOKEN, "T59", 35, CHECK_NONE, 0)                                 \
    X("tk-us-", SECRET_SCALINGO_API_TOKEN, "k48", 35, CHECK_NONE, 0)                               \
    X("tvly-", SECRET_TAVILY_API_KEY, "m32-60", 30, CHECK_NONE, 0)                                 \
    X("v1.0-", SECRET_CLOUDFLARE_ORIGIN_CA_KEY, "x24'-'x146", 30, CHECK_NONE, 0)                   \
    X("whsec_", SECRET_STRIPE_WEBHOOK_SECRET, "e32-64", 30, CHECK_NONE, 0)                         \
    X("xai-", SECRET_XAI_API_KEY, "w80", 35, CHECK_NONE, 0)                                        \
    X("xapp-", SECRET_SLACK_APP_TOKEN, "d1'-'A8-15'-'d8-16'-'w32-80", 25, CHECK_NONE, 0)           \
    X("xkeysib-", SECRET_SENDINBLUE_API_TOKEN, "x64'-'w16", 30, CHECK_NONE, 0)                     \
    X("xoxa-", SECRET_SLACK_LEGACY_WORKSPACE_TOKEN, "d1'-'w8-48", 20, CHECK_NONE, 0)               \
    X("xoxa-", SECRET_SLACK_LEGACY_WORKSPACE_TOKEN, "w8-48", 20, CHECK_NONE, 0)                    \
    X("xoxb-", SECRET_SLACK_BOT_TOKEN, "d10-13'-'d10-13'-'m16-40", 25, CHECK_NONE, 0)              \
    X("xoxb-", SECRET_SLACK_LEGACY_BOT_TOKEN, "d8-14'-'w18-26", 25, CHECK_NONE, 0)                 \
    X("xoxe-", SECRET_SLACK_CONFIG_REFRESH_TOKEN, "d1'-'w120-160", 30, CHECK_NONE, 0)              \
    X("xoxe-", SECRET_SLACK_USER_TOKEN, "d10-13'-'d10-13'-'d10-13'-'m28-34", 25, CHECK_NONE, 0)    \
    X("xoxe.xoxb-", SECRET_SLACK_CONFIG_ACCESS_TOKEN, "d1'-'w140-180", 30, CHECK_NONE, 0)          \
    X("xoxe.xoxp-", SECRET_SLACK_CONFIG_ACCESS_TOKEN, "d1'-'w140-180", 30, CHECK_NONE, 0)          \
    X("xoxo-", SECRET_SLACK_LEGACY_TOKEN, "d5-13'-'d5-13'-'d5-13'-'h6-64", 25, CHECK_NONE, 0)      \
    X("xoxp-", SECRET_SLACK_USER_TOKEN, "d10-13'-'d10-13'-'d10-13'-'m28-34", 25, CHECK_NONE, 0)    \
    X("xoxr-", SECRET_SLACK_LEGACY_WORKSPACE_TOKEN, "d1'-'w8-48", 20, CHECK_NONE, 0)               \
    X("xoxr-", SECRET_SLACK_LEGACY_WORKSPACE_TOKEN, "w8-48", 20, CHECK_NONE, 0)                    \
    X("xoxs-", SECRET_SLACK_LEGACY_TOKEN, "d5-13'-'d5-13'-'d5-13'-'h6-64", 25, CHECK_NONE, 0)      \
    X("ya29.", SECRET_GOOGLE_OAUTH_TOKEN, "k40-400", 35, CHECK_NONE, ROW_LONG)

#endif
