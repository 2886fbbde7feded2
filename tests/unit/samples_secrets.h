/* Fake secrets for tests, built at run time: no text of this file has a secret's form. The rows are
 * the providers' published forms, written down apart from the detector's own. */
#ifndef SAMPLES_SECRETS_H
#define SAMPLES_SECRETS_H

#include <bartizan/buf.h>
#include <bartizan/detect.h>
#include <stdio.h>

struct secret_sample_row {
    const char *id;
    const char *name;  /* NULL: the value speaks for itself; "": the value is a text with << >> */
    const char *value; /* {w36}: 36 of a class, see sample_alphabet; {U}: a UUID; others by name */
};
static const struct secret_sample_row secret_sample_rows[] = {
    {"1password-secret-key", NULL, "A3-{A6}-{A11}-{A5}-{A5}-{A5}"},
    {"1password-service-account-token", NULL, "ops_eyJ{b250}"},
    {"adafruit-api-key", "adafruit_api_key", "{k32}"},
    {"adobe-client-id", "adobe_client_id", "{x32}"},
    {"adobe-client-secret", NULL, "p8e-{w32}"},
    {"age-secret-key", NULL, "{AGE}"},
    {"airtable-api-key", "airtable_api_key", "key{w14}"},
    {"airtable-personnal-access-token", NULL, "pat{w14}.{x64}"},
    {"algolia-api-key", "algolia_api_key", "{x32}"},
    {"alibaba-access-key-id", NULL, "LTAI{w20}"},
    {"alibaba-secret-key", "alibaba_secret_key", "{w30}"},
    {"anthropic-admin-api-key", NULL, "sk-ant-admin01-{k93}AA"},
    {"anthropic-api-key", NULL, "sk-ant-api03-{k93}AA"},
    {"artifactory-api-key", NULL, "AKCp{w69}"},
    {"artifactory-reference-token", NULL, "cmVmd{w59}"},
    {"asana-client-id", "asana_client_id", "12{d14}"},
    {"asana-client-secret", "asana_client_secret", "{x32}"},
    {"atlassian-api-token", NULL, "ATATT3{k186}"},
    {"authorization-header", "", "GET / HTTP/1.1\nAuthorization: Bearer <<{w40}>>\n"},
    {"authress-service-client-access-key", NULL, "sc_{w12}.{w4}.acc_{a12}.{b60}"},
    {"aws-access-token", NULL, "AKIA{A16}"},
    {"aws-amazon-bedrock-api-key-long-lived", NULL, "ABSK{b128}"},
    {"aws-amazon-bedrock-api-key-short-lived", NULL, "bedrock-api-key-YmVkcm9jay{b100}"},
    {"aws-secret-access-key", "aws_secret_access_key", "{b40}"},
    {"azure-account-key", "AccountKey", "{b86}=="},
    {"azure-ad-client-secret", "azure_client_secret", "{w3}8Q~{y34}"},
    {"azure-sas-signature", "",
     "https://acct.blob.core.windows.net/c/f?sv=2022-11-02&sig=<<{S44}%3D>>&se=2026"},
    {"bartizan-api-key", NULL, "bz_{w12}_{z43}"},
    {"beamer-api-token", "beamer_api_token", "b_{k44}"},
    {"bitbucket-client-id", "bitbucket_client_id", "{w32}"},
    {"bitbucket-client-secret", "bitbucket_client_secret", "{k64}"},
    {"bittrex-access-key", "bittrex_access_key", "{a32}"},
    {"bittrex-secret-key", "bittrex_secret_key", "{a32}"},
    {"cisco-meraki-api-key", "meraki_dashboard_api_key", "{x40}"},
    {"clickhouse-cloud-api-secret-key", NULL, "4b1d{w38}"},
    {"clojars-api-token", NULL, "CLOJARS_{a60}"},
    {"cloudflare-api-key", "cloudflare_api_key", "{k40}"},
    {"cloudflare-global-api-key", "cloudflare_global_api_key", "{x37}"},
    {"cloudflare-origin-ca-key", NULL, "v1.0-{x24}-{x146}"},
    {"codecov-access-token", "codecov_access_token", "{a32}"},
    {"cohere-api-token", "cohere_api_token", "{w40}"},
    {"coinbase-access-token", "coinbase_access_token", "{k64}"},
    {"confluent-access-token", "confluent_access_token", "{w16}"},
    {"confluent-secret-key", "confluent_secret_key", "{w64}"},
    {"contentful-delivery-api-token", "contentful_delivery_api_token", "{k43}"},
    {"curl-auth-header", "",
     "curl -H \"Authorization: Bearer <<{w40}>>\" https://api.example.org/v1"},
    {"curl-auth-user", "", "curl -u deploy:<<{p14}>> https://api.example.org/v1"},
    {"databricks-api-token", NULL, "dapi{x32}"},
    {"datadog-access-token", "datadog_access_token", "{a40}"},
    {"defined-networking-api-token", NULL, "dnkey-{A26}-{A52}"},
    {"digitalocean-access-token", NULL, "doo_v1_{x64}"},
    {"digitalocean-pat", NULL, "dop_v1_{x64}"},
    {"digitalocean-refresh-token", NULL, "dor_v1_{x64}"},
    {"discord-api-token", "discord_api_token", "{x64}"},
    {"discord-client-id", "discord_client_id", "10{d16}"},
    {"discord-client-secret", "discord_client_secret", "{k32}"},
    {"docker-pat", NULL, "dckr_pat_{k27}"},
    {"doppler-api-token", NULL, "dp.pt.{w43}"},
    {"droneci-access-token", "droneci_access_token", "{w32}"},
    {"dropbox-api-token", "dropbox_api_token", "{a15}"},
    {"dropbox-long-lived-api-token", "dropbox_long_lived_api_token", "{w11}AAAAAAAAAA{k43}"},
    {"dropbox-short-lived-api-token", NULL, "sl.{k135}"},
    {"duffel-api-token", NULL, "duffel_test_{k43}"},
    {"dynatrace-api-token", NULL, "dt0c01.{A24}.{A64}"},
    {"easypost-api-token", NULL, "EZAK{w54}"},
    {"easypost-test-api-token", NULL, "EZTK{w54}"},
    {"etsy-access-token", "etsy_access_token", "{a24}"},
    {"facebook-access-token", "", "access_token: {d15}|<<{k27}>>\n"},
    {"facebook-page-access-token", NULL, "EAAM{w180}"},
    {"facebook-secret", "facebook_app_secret", "{x32}"},
    {"fastly-api-token", "fastly_api_token", "{k32}"},
    {"figma-api-token", NULL, "figd_{k40}"},
    {"finicity-api-token", "finicity_api_token", "{x32}"},
    {"finicity-client-secret", "finicity_client_secret", "{w20}"},
    {"finnhub-access-token", "finnhub_access_token", "{a20}"},
    {"flickr-access-token", "flickr_access_token", "{x32}"},
    {"flutterwave-encryption-key", NULL, "FLWSECK_TEST-{x12}"},
    {"flutterwave-public-key", NULL, "FLWPUBK_TEST-{x32}-X"},
    {"flutterwave-secret-key", NULL, "FLWSECK_TEST-{x32}-X"},
    {"flyio-access-token", NULL, "fm2_{b160}"},
    {"frameio-api-token", NULL, "fio-u-{k64}"},
    {"freemius-secret-key", "secret_key", "sk_{w29}"},
    {"freshbooks-access-token", "freshbooks_access_token", "{a64}"},
    {"gcp-api-key", NULL, "AIza{k35}"},
    {"gcp-service-account-key-id", "private_key_id", "{x40}"},
    {"generic-api-key", "internal_service_token", "{w32}"},
    {"github-app-token", NULL, "ghs_{g30}"},
    {"github-fine-grained-pat", NULL, "github_pat_{w22}_{w59}"},
    {"github-oauth", NULL, "gho_{g30}"},
    {"github-pat", NULL, "ghp_{g30}"},
    {"github-refresh-token", NULL, "ghr_{g30}"},
    {"gitlab-cicd-job-token", NULL, "glcbt-{w2}_{w20}"},
    {"gitlab-deploy-token", NULL, "gldt-{k20}"},
    {"gitlab-feature-flag-client-token", NULL, "glffct-{k20}"},
    {"gitlab-feed-token", NULL, "glft-{k20}"},
    {"gitlab-incoming-mail-token", NULL, "glimt-{k25}"},
    {"gitlab-kubernetes-agent-token", NULL, "glagent-{k50}"},
    {"gitlab-oauth-app-secret", NULL, "gloas-{k64}"},
    {"gitlab-pat", NULL, "glpat-{k20}"},
    {"gitlab-pat-routable", NULL, "glpat-{k27}.01{a7}"},
    {"gitlab-ptt", NULL, "glptt-{x40}"},
    {"gitlab-rrt", NULL, "GR1348941{k20}"},
    {"gitlab-runner-authentication-token", NULL, "glrt-{k20}"},
    {"gitlab-runner-authentication-token-routable", NULL, "glrt-t1_{k27}.01{a7}"},
    {"gitlab-scim-token", NULL, "glsoat-{k20}"},
    {"gitlab-session-cookie", "", "Cookie: _gitlab_session=<<{x32}>>; path=/"},
    {"gitter-access-token", "gitter_access_token", "{k40}"},
    {"gocardless-api-token", "gocardless_api_token", "live_{k40}"},
    {"google-oauth-client-secret", NULL, "GOCSPX-{k28}"},
    {"google-oauth-token", NULL, "ya29.{k120}"},
    {"google-refresh-token", NULL, "1//0{k60}"},
    {"grafana-api-key", NULL, "eyJrIjoi{b92}"},
    {"grafana-cloud-api-token", NULL, "glc_{b60}"},
    {"grafana-service-account-token", NULL, "glsa_{w32}_{x8}"},
    {"groq-api-key", NULL, "gsk_{w52}"},
    {"harness-api-key", NULL, "pat.{k22}.{x24}.{w20}"},
    {"hashicorp-tf-api-token", "tfe_token", "{w14}.atlasv1.{k64}"},
    {"hashicorp-tf-password", "administrator_login_password", "{p14}"},
    {"heroku-api-key", "heroku_api_key", "{U}"},
    {"heroku-api-key-v2", NULL, "HRKU-AA{k58}"},
    {"hubspot-api-key", "hubspot_api_key", "{U}"},
    {"huggingface-access-token", NULL, "hf_{w34}"},
    {"huggingface-organization-api-token", NULL, "api_org_{w34}"},
    {"infracost-api-token", NULL, "ico-{w32}"},
    {"intercom-api-key", "intercom_api_key", "{k60}"},
    {"intra42-client-secret", NULL, "s-s4t2ud-{x64}"},
    {"jfrog-api-key", "jfrog_api_key", "{w73}"},
    {"jfrog-identity-token", "jfrog_identity_token", "{w64}"},
    {"jwt", "", "session <<{JWT}>> was refused"},
    {"jwt-base64", "", "session <<{JWT64}>> was refused"},
    {"kraken-access-token", "kraken_access_token", "{b84}"},
    {"kubernetes-secret-yaml", "", "apiVersion: v1\nkind: Secret\ndata:\n  blob: <<{w24}>>\n"},
    {"kucoin-access-token", "kucoin_access_token", "{x24}"},
    {"kucoin-secret-key", "kucoin_secret_key", "{U}"},
    {"langsmith-api-key", NULL, "lsv2_pt_{x32}_{x10}"},
    {"launchdarkly-access-token", "launchdarkly_access_token", "{k40}"},
    {"linear-api-key", NULL, "lin_api_{w40}"},
    {"linear-client-secret", "linear_client_secret", "{x32}"},
    {"linkedin-client-id", "linkedin_client_id", "{a14}"},
    {"linkedin-client-secret", "linkedin_client_secret", "{w16}"},
    {"lob-api-key", NULL, "live_{x35}"},
    {"lob-pub-api-key", NULL, "live_pub_{x31}"},
    {"looker-client-id", "looker_client_id", "{w20}"},
    {"looker-client-secret", "looker_client_secret", "{w24}"},
    {"mailchimp-api-key", "mailchimp_api_key", "{x32}-us20"},
    {"mailgun-private-api-token", "mailgun_private_api_token", "key-{x32}"},
    {"mailgun-pub-key", NULL, "pubkey-{x32}"},
    {"mailgun-signing-key", "mailgun_signing_key", "{x32}-{x8}-{x8}"},
    {"mapbox-api-token", NULL, "pk.{a60}.{a22}"},
    {"mattermost-access-token", "mattermost_access_token", "{a26}"},
    {"maxmind-license-key", "maxmind_license_key", "{w6}_{w29}_mmk"},
    {"messagebird-api-token", "messagebird_api_token", "{w25}"},
    {"messagebird-client-id", "messagebird_client_id", "{U}"},
    {"microsoft-teams-webhook", "",
     "https://corp.webhook.office.com/webhookb2/<<{U}@{U}/IncomingWebhook/{x32}/{U}>>\n"},
    {"netlify-access-token", "netlify_access_token", "{k43}"},
    {"new-relic-browser-api-token", NULL, "NRJS-{x19}"},
    {"new-relic-insert-key", NULL, "NRII-{w32}"},
    {"new-relic-user-api-id", "new_relic_user_api", "{a64}"},
    {"new-relic-user-api-key", NULL, "NRAK-{A27}"},
    {"notion-api-token", NULL, "ntn_{d11}{w35}"},
    {"npm-access-token", NULL, "npm_{w36}"},
    {"nuget-config-password", "", "<add key=\"ClearTextPassword\" value=\"<<{p14}>>\" />"},
    {"nvidia-api-key", NULL, "nvapi-{k64}"},
    {"nytimes-access-token", "nytimes_access_token", "{k32}"},
    {"octopus-deploy-api-key", NULL, "API-{A26}"},
    {"okta-access-token", "okta_access_token", "00{k40}"},
    {"openai-api-key", NULL, "sk-{w20}T3BlbkFJ{w20}"},
    {"openrouter-api-key", NULL, "sk-or-v1-{x64}"},
    {"openshift-user-token", NULL, "sha256~{k43}"},
    {"password", "db_password", "{p14}"},
    {"perplexity-api-key", NULL, "pplx-{w48}"},
    {"pkcs12-file", NULL, "MIIKCgIBAzCCCdAGCSqGSIb3DQEHA{b120}"},
    {"plaid-api-token", NULL, "access-sandbox-{U}"},
    {"plaid-client-id", "plaid_client_id", "{w24}"},
    {"plaid-secret-key", "plaid_secret_key", "{w30}"},
    {"planetscale-api-token", NULL, "pscale_tkn_{k43}"},
    {"planetscale-oauth-token", NULL, "pscale_oauth_{k43}"},
    {"planetscale-password", NULL, "pscale_pw_{k43}"},
    {"postman-api-token", NULL, "PMAK-{x24}-{x34}"},
    {"prefect-api-token", NULL, "pnu_{w36}"},
    {"private-key", "",
     "key:\n<<-----BEGIN EC PRIVATE KEY-----\n{b64}\n{b64}\n{b39}=\n"
     "-----END EC PRIVATE KEY----->>\n"},
    {"privateai-api-token", "privateai_api_token", "{w32}"},
    {"pulumi-api-token", NULL, "pul-{x40}"},
    {"pypi-upload-token", NULL, "pypi-AgEIcHlwaS5vcmc{k120}"},
    {"rapidapi-access-token", "rapidapi_access_token", "{k50}"},
    {"readme-api-token", NULL, "rdme_{a70}"},
    {"replicate-api-token", NULL, "r8_{w37}"},
    {"rubygems-api-token", NULL, "rubygems_{x48}"},
    {"scalingo-api-token", NULL, "tk-us-{k48}"},
    {"sendbird-access-id", "sendbird_access_id", "{U}"},
    {"sendbird-access-token", "sendbird_access_token", "{x40}"},
    {"sendgrid-api-token", NULL, "SG.{k22}.{k43}"},
    {"sendinblue-api-token", NULL, "xkeysib-{x64}-{w16}"},
    {"sentry-access-token", "sentry_access_token", "{x64}"},
    {"sentry-org-token", NULL, "sntrys_eyJpYXQiO{b80}_{b43}"},
    {"sentry-user-token", NULL, "sntryu_{x64}"},
    {"settlemint-application-access-token", NULL, "sm_aat_{w16}"},
    {"settlemint-personal-access-token", NULL, "sm_pat_{w16}"},
    {"settlemint-service-access-token", NULL, "sm_sat_{w16}"},
    {"shippo-api-token", NULL, "shippo_live_{x40}"},
    {"shopify-access-token", NULL, "shpat_{x32}"},
    {"shopify-custom-access-token", NULL, "shpca_{x32}"},
    {"shopify-private-app-access-token", NULL, "shppa_{x32}"},
    {"shopify-shared-secret", NULL, "shpss_{x32}"},
    {"sidekiq-secret", "BUNDLE_ENTERPRISE__CONTRIBSYS__COM", "{x8}:{x8}"},
    {"sidekiq-sensitive-url", "", "source https://<<{x8}:{x8}@gems.contribsys.com>>/ do"},
    {"slack-app-token", NULL, "xapp-1-A{A10}-{d13}-{x64}"},
    {"slack-bot-token", NULL, "xoxb-{d11}-{d13}-{w24}"},
    {"slack-config-access-token", NULL, "xoxe.xoxp-1-{w166}"},
    {"slack-config-refresh-token", NULL, "xoxe-1-{w146}"},
    {"slack-legacy-bot-token", NULL, "xoxb-{d12}-{w24}"},
    {"slack-legacy-token", NULL, "xoxs-{d12}-{d12}-{d12}-{x10}"},
    {"slack-legacy-workspace-token", NULL, "xoxa-2-{w40}"},
    {"slack-user-token", NULL, "xoxp-{d11}-{d12}-{d12}-{x32}"},
    {"slack-webhook-url", "", "https://hooks.slack.com/services/<<T{A8}/B{A8}/{w24}>>\n"},
    {"snyk-api-token", "snyk_api_token", "{U}"},
    {"sonar-api-token", NULL, "squ_{x40}"},
    {"sourcegraph-access-token", NULL, "sgp_{x16}_{x40}"},
    {"square-access-token", NULL, "EAAA{k60}"},
    {"squarespace-access-token", "squarespace_access_token", "{U}"},
    {"stripe-access-token", NULL, "sk_live_{w24}"},
    {"stripe-webhook-secret", NULL, "whsec_{w32}"},
    {"sumologic-access-id", "sumologic_access_id", "su{w12}"},
    {"sumologic-access-token", "sumologic_access_token", "{w64}"},
    {"supabase-access-token", NULL, "sbp_{x40}"},
    {"tavily-api-key", NULL, "tvly-{w32}"},
    {"telegram-bot-api-token", NULL, "6{d9}:AA{k33}"},
    {"travisci-access-token", "travis_access_token", "{w22}"},
    {"twilio-api-key", NULL, "SK{x32}"},
    {"twitch-api-token", "twitch_api_token", "{a30}"},
    {"twitter-access-secret", "twitter_access_secret", "{w45}"},
    {"twitter-access-token", "twitter_access_token", "10{d16}-{w30}"},
    {"twitter-api-key", "twitter_api_key", "{w25}"},
    {"twitter-api-secret", "twitter_api_secret", "{w50}"},
    {"twitter-bearer-token", "twitter_bearer_token", "AAAAAAAAAAAAAAAAAAAAA{w30}%2B{w40}%3D{w10}"},
    {"typeform-api-token", NULL, "tfp_{k59}"},
    {"url-credentials", "", "DSN=postgres://app:<<{p14}>>@db.internal:5432/app"},
    {"vault-batch-token", NULL, "hvb.{k140}"},
    {"vault-service-token", NULL, "hvs.{k95}"},
    {"xai-api-key", NULL, "xai-{w80}"},
    {"yandex-access-token", NULL, "t1.{k40}.{k86}"},
    {"yandex-api-key", NULL, "AQVN{k36}"},
    {"yandex-aws-access-token", "yandex_aws_access_token", "YC{k38}"},
    {"zendesk-secret-key", "zendesk_secret_key", "{w40}"},
};

struct sample_out {
    char *p;
    size_t n, cap, start, end;
    uint64_t rnd;
};

static inline uint32_t sample_random(struct sample_out *o) { /* splitmix64 */
    uint64_t z = (o->rnd += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ z >> 31) >> 16);
}

static inline void sample_put(struct sample_out *o, char c) {
    if (o->n + 1 < o->cap)
        o->p[o->n++] = c;
}

static inline void sample_text(struct sample_out *o, const char *s) {
    while (*s != '\0')
        sample_put(o, *s++);
}

#define SAMPLE_DIGITS "0123456789"
#define SAMPLE_LOWER "abcdefghijklmnopqrstuvwxyz"
#define SAMPLE_UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
static inline const char *sample_alphabet(char cls) {
    switch (cls) {
    case 'd':
        return SAMPLE_DIGITS;
    case 'x':
        return SAMPLE_DIGITS "abcdef";
    case 'a':
        return SAMPLE_DIGITS SAMPLE_LOWER;
    case 'A':
        return SAMPLE_DIGITS SAMPLE_UPPER;
    case 'k':
        return SAMPLE_DIGITS SAMPLE_LOWER SAMPLE_UPPER "-_";
    case 'b':
    case 'S':
        return SAMPLE_DIGITS SAMPLE_LOWER SAMPLE_UPPER "+/";
    case 'y':
        return SAMPLE_DIGITS SAMPLE_LOWER SAMPLE_UPPER "_.-";
    case 'p':
        return SAMPLE_DIGITS SAMPLE_LOWER SAMPLE_UPPER "!$%^*";
    default: /* 'w' */
        return SAMPLE_DIGITS SAMPLE_LOWER SAMPLE_UPPER;
    }
}

/* n random ones of the class, letters and digits at both ends and at least one of each. */
static inline void sample_class(struct sample_out *o, char cls, size_t n) {
    const char *set = sample_alphabet(cls);
    size_t len = strlen(set), plain = 0;
    while (plain < len && memchr("+/-_.!$%^*", set[plain], 10) == NULL)
        plain++;
    for (size_t i = 0; i < n; i++) {
        size_t of = i == 0 || i + 1 == n ? plain : len;
        char c = set[sample_random(o) % of];
        if (i == 1 && n > 3)
            c = (char)('2' + sample_random(o) % 8);
        if (i == 2 && n > 3 && len > 10)
            c = set[10 + sample_random(o) % (plain - 10 < 26 ? plain - 10 : 26)];
        sample_put(o, c);
    }
}

static inline uint32_t sample_crc32(const char *p, size_t n) {
    uint32_t c = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        c ^= (uint8_t)p[i];
        for (int k = 0; k < 8; k++)
            c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
    }
    return ~c;
}

/* Six digits of base 62. */
static inline void sample_sum(struct sample_out *o, uint32_t sum) {
    static const char digits[] = SAMPLE_DIGITS SAMPLE_UPPER SAMPLE_LOWER;
    char six[6];
    for (int i = 5; i >= 0; i--, sum /= 62)
        six[i] = digits[sum % 62];
    for (int i = 0; i < 6; i++)
        sample_put(o, six[i]);
}

static inline void sample_uuid(struct sample_out *o) {
    static const int parts[] = {8, 4, 4, 4, 12};
    for (int i = 0; i < 5; i++) {
        if (i > 0)
            sample_put(o, '-');
        sample_class(o, 'x', (size_t)parts[i]);
    }
}

/* BIP 173 over "age-secret-key-" and 52 characters. */
static inline void sample_age(struct sample_out *o) {
    static const char set[] = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", hrp[] = "age-secret-key-";
    uint32_t v[96], n = 0, sum = 1;
    for (size_t i = 0; hrp[i] != '\0'; i++)
        v[n++] = (uint32_t)hrp[i] >> 5;
    v[n++] = 0;
    for (size_t i = 0; hrp[i] != '\0'; i++)
        v[n++] = (uint32_t)hrp[i] & 31;
    sample_text(o, "AGE-SECRET-KEY-1");
    for (int i = 0; i < 52; i++) {
        v[n] = sample_random(o) % 32;
        sample_put(o, set[v[n++]]);
    }
    for (int i = 0; i < 6; i++)
        v[n++] = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t b = sum >> 25;
        sum = (sum & 0x1ffffff) << 5 ^ v[i];
        sum ^= (b & 1 ? 0x3b6a57b2 : 0) ^ (b & 2 ? 0x26508e6d : 0) ^ (b & 4 ? 0x1ea119fa : 0);
        sum ^= (b & 8 ? 0x3d4233dd : 0) ^ (b & 16 ? 0x2a1462b3 : 0);
    }
    sum ^= 1;
    for (int i = 5; i >= 0; i--)
        sample_put(o, set[sum >> 5 * i & 31]);
}

static inline void sample_base64(struct sample_out *o, const char *p, size_t n) {
    static const char set[] = SAMPLE_UPPER SAMPLE_LOWER SAMPLE_DIGITS "-_";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)(uint8_t)p[i] << 16;
        v |= i + 1 < n ? (uint32_t)(uint8_t)p[i + 1] << 8 : 0;
        v |= i + 2 < n ? (uint8_t)p[i + 2] : 0;
        for (size_t k = 0; k < 4 && k <= n - i; k++)
            sample_put(o, set[v >> (18 - 6 * k) & 63]);
    }
}

static inline void sample_jwt(struct sample_out *o) {
    static const char head[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    char body[64];
    int n = snprintf(body, sizeof body, "{\"sub\":\"%u\",\"iat\":%u}", sample_random(o),
                     sample_random(o));
    sample_base64(o, head, sizeof head - 1);
    sample_put(o, '.');
    sample_base64(o, body, (size_t)n);
    sample_put(o, '.');
    sample_class(o, 'k', 43);
}

static inline void sample_named(struct sample_out *o, const char *what) {
    size_t from = o->n;
    if (what[0] == 'U') {
        sample_uuid(o);
    } else if (strncmp(what, "AGE", 3) == 0) {
        sample_age(o);
    } else if (what[0] == 'g') { /* GitHub: 30 and a checksum of these */
        sample_class(o, 'w', 30);
        sample_sum(o, sample_crc32(o->p + from, 30));
    } else if (what[0] == 'z') { /* ours: 43 and a checksum of the whole key */
        sample_class(o, 'w', 43);
        from = o->n - 43 - 16;
        sample_sum(o, sample_crc32(o->p + from, 59));
    } else if (strncmp(what, "JWT", 3) == 0) {
        struct sample_out inner = {.p = (char[256]){0}, .cap = 256, .rnd = sample_random(o)};
        sample_jwt(what[3] == '6' ? &inner : o);
        if (what[3] == '6')
            sample_base64(o, inner.p, inner.n);
    }
}

static inline void sample_value(struct sample_out *o, const char *v) {
    while (*v != '\0') {
        if (*v != '{') {
            sample_put(o, *v++);
            continue;
        }
        size_t n = 0;
        for (const char *d = v + 2; *d >= '0' && *d <= '9'; d++)
            n = n * 10 + (size_t)(*d - '0');
        if (strchr("UAgzJ", v[1]) != NULL && (v[1] != 'A' || v[2] == 'G'))
            sample_named(o, v + 1);
        else
            sample_class(o, v[1], n);
        v = strchr(v, '}') + 1;
    }
}

/* Assignments as people write them; %N the name, %V the value. */
static const char *const sample_assignments[] = {
    "%N = \"%V\"\n",
    "%N: %V\n",
    "{\"%N\": \"%V\"}",
    "export %N=%V\n",
    "%N='%V'\n",
    "'%N' => '%V',\n",
    "%N := \"%V\"\n",
    "<%N>%V</%N>\n",
    "const %N: string = \"%V\";\n",
    "setenv(\"%N\", \"%V\");\n",
    "The %N is: %V\n",
};
static const char *const sample_sentences[] = {
    "use %V for now\n", "\"%V\",\n", "see (%V) please\n", "X=%V\n", "the value is `%V`.\n",
    "- item: '%V'\n",   "%V\n",
};

enum {
    SAMPLE_ASSIGNMENTS = sizeof sample_assignments / sizeof sample_assignments[0],
    SAMPLE_SENTENCES = sizeof sample_sentences / sizeof sample_sentences[0],
};

static inline void sample_template(struct sample_out *o, const char *t, const char *name,
                                   const char *value) {
    for (; *t != '\0'; t++) {
        if (*t != '%') {
            sample_put(o, *t);
        } else if (*++t == 'N') {
            sample_text(o, name);
        } else {
            o->start = o->n;
            sample_value(o, value);
            o->end = o->n;
        }
    }
}

static inline void sample_marked(struct sample_out *o, const char *v) {
    char part[256];
    const char *open = strstr(v, "<<"), *close = strstr(v, ">>");
    snprintf(part, sizeof part, "%.*s", (int)(open - v), v);
    sample_value(o, part);
    o->start = o->n;
    snprintf(part, sizeof part, "%.*s", (int)(close - open - 2), open + 2);
    sample_value(o, part);
    o->end = o->n;
    sample_value(o, close + 2);
}

/* A text with one secret of the type (place in the group of secrets), different for each seed; how
 * long it is, and where the secret stands. 0: no sample. */
static inline size_t secret_sample(size_t type, uint64_t seed, char *out, size_t cap,
                                   size_t *ret_start, size_t *ret_end) {
    const struct bz_type *types;
    size_t n = bz_type_list(&types), first = 0;
    while (first < n && types[first].cls != BZ_CLASS_SECRET)
        first++;
    if (first + type >= n || types[first + type].cls != BZ_CLASS_SECRET)
        return 0;
    struct sample_out o = {.p = out, .cap = cap, .rnd = seed * 7919 + type};
    for (size_t i = 0; i < sizeof secret_sample_rows / sizeof secret_sample_rows[0]; i++) {
        const struct secret_sample_row *row = &secret_sample_rows[i];
        if (strcmp(row->id, types[first + type].name) != 0)
            continue;
        size_t k = (size_t)seed;
        if (row->name != NULL && row->name[0] == '\0')
            sample_marked(&o, row->value);
        else if (row->name != NULL)
            sample_template(&o, sample_assignments[k % SAMPLE_ASSIGNMENTS], row->name, row->value);
        else
            sample_template(&o, sample_sentences[k % SAMPLE_SENTENCES], "", row->value);
    }
    if (o.n == 0)
        return 0;
    *ret_start = o.start;
    *ret_end = o.end;
    return o.n;
}

/* See detector.h. */
static inline bool secrets_sample(size_t type, unsigned seed, struct bz_buf *out) {
    char text[2048];
    size_t start, end;
    size_t n = secret_sample(type, seed, text, sizeof text, &start, &end);
    if (n == 0)
        return false;
    bz_buf_put(out, bz_view(text, n));
    return true;
}

#endif
