/* Classes of secrets: gitleaks' rule ids, then ours. Of two that match the same text in the same way the
 * earlier one wins: what is special stands before what is general. */
#ifndef DETECT_SECRETS_TYPES_H
#define DETECT_SECRETS_TYPES_H

#define SECRETS_TYPES(X)                                                                           \
    X("1password-secret-key", "", "1Password secret key", BZ_PROOF_CHECKSUM,                       \
      BZ_LEVEL_CONFIDENTIAL, SECRET_1PASSWORD_SECRET_KEY)                                          \
    X("1password-service-account-token", "", "1Password service account token", BZ_PROOF_CHECKSUM, \
      BZ_LEVEL_CONFIDENTIAL, SECRET_1PASSWORD_SERVICE_ACCOUNT_TOKEN)                               \
    X("adafruit-api-key", "", "Adafruit API key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,         \
      SECRET_ADAFRUIT_API_KEY)                                                                     \
    X("adobe-client-id", "", "Adobe client id", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,           \
      SECRET_ADOBE_CLIENT_ID)                                                                      \
    X("adobe-client-secret", "", "Adobe client secret", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,  \
      SECRET_ADOBE_CLIENT_SECRET)                                                                  \
    X("age-secret-key", "", "Age secret key", BZ_PROOF_CHECKSUM, BZ_LEVEL_RESTRICTED,              \
      SECRET_AGE_SECRET_KEY)                                                                       \
    X("airtable-api-key", "", "Airtable API key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,         \
      SECRET_AIRTABLE_API_KEY)                                                                     \
    X("airtable-personnal-access-token", "", "Airtable personal access token", BZ_PROOF_CHECKSUM,  \
      BZ_LEVEL_CONFIDENTIAL, SECRET_AIRTABLE_PERSONNAL_ACCESS_TOKEN)                               \
    X("algolia-api-key", "", "Algolia API key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,           \
      SECRET_ALGOLIA_API_KEY)                                                                      \
    X("alibaba-access-key-id", "", "Alibaba access key id", BZ_PROOF_CHECKSUM,                     \
      BZ_LEVEL_CONFIDENTIAL, SECRET_ALIBABA_ACCESS_KEY_ID)                                         \
    X("alibaba-secret-key", "", "Alibaba secret key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,     \
      SECRET_ALIBABA_SECRET_KEY)                                                                   \
    X("anthropic-admin-api-key", "", "Anthropic admin API key", BZ_PROOF_CHECKSUM,                 \
      BZ_LEVEL_CONFIDENTIAL, SECRET_ANTHROPIC_ADMIN_API_KEY)                                       \
    X("anthropic-api-key", "", "Anthropic API key", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,      \
      SECRET_ANTHROPIC_API_KEY)                                                                    \
    X("artifactory-api-key", "", "Artifactory API key", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,  \
      SECRET_ARTIFACTORY_API_KEY)                                                                  \
    X("artifactory-reference-token", "", "Artifactory reference token", BZ_PROOF_CHECKSUM,         \
      BZ_LEVEL_CONFIDENTIAL, SECRET_ARTIFACTORY_REFERENCE_TOKEN)                                   \
    X("asana-client-id", "", "Asana client id", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,           \
      SECRET_ASANA_CLIENT_ID)                                                                      \
    X("asana-client-secret", "", "Asana client secret", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,   \
      SECRET_ASANA_CLIENT_SECRET)                                                                  \
    X("atlassian-api-token", "", "Atlassian API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,  \
      SECRET_ATLASSIAN_API_TOKEN)                                                                  \
    X("authress-service-client-access-key", "", "Authress service client access key",              \
      BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, SECRET_AUTHRESS_SERVICE_CLIENT_ACCESS_KEY)         \
    X("aws-access-token", "", "AWS access token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,        \
      SECRET_AWS_ACCESS_TOKEN)                                                                     \
    X("aws-amazon-bedrock-api-key-long-lived", "", "AWS amazon bedrock API key long lived",        \
      BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, SECRET_AWS_AMAZON_BEDROCK_API_KEY_LONG_LIVED)      \
    X("aws-amazon-bedrock-api-key-short-lived", "", "AWS amazon bedrock API key short lived",      \
      BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, SECRET_AWS_AMAZON_BEDROCK_API_KEY_SHORT_LIVED)     \
    X("azure-ad-client-secret", "", "Azure Entra ID client secret", BZ_PROOF_CHECKSUM,             \
      BZ_LEVEL_CONFIDENTIAL, SECRET_AZURE_AD_CLIENT_SECRET)                                        \
    X("beamer-api-token", "", "Beamer API token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,         \
      SECRET_BEAMER_API_TOKEN)                                                                     \
    X("bitbucket-client-id", "", "Bitbucket client id", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,   \
      SECRET_BITBUCKET_CLIENT_ID)                                                                  \
    X("bitbucket-client-secret", "", "Bitbucket client secret", BZ_PROOF_CONTEXT,                  \
      BZ_LEVEL_CONFIDENTIAL, SECRET_BITBUCKET_CLIENT_SECRET)                                       \
    X("bittrex-secret-key", "", "Bittrex secret key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,     \
      SECRET_BITTREX_SECRET_KEY)                                                                   \
    X("bittrex-access-key", "", "Bittrex access key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,     \
      SECRET_BITTREX_ACCESS_KEY)                                                                   \
    X("cisco-meraki-api-key", "", "Cisco meraki API key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      SECRET_CISCO_MERAKI_API_KEY)                                                                 \
    X("clickhouse-cloud-api-secret-key", "", "ClickHouse cloud API secret key", BZ_PROOF_CHECKSUM, \
      BZ_LEVEL_CONFIDENTIAL, SECRET_CLICKHOUSE_CLOUD_API_SECRET_KEY)                               \
    X("clojars-api-token", "", "Clojars API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,      \
      SECRET_CLOJARS_API_TOKEN)                                                                    \
    X("cloudflare-api-key", "", "Cloudflare API key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,     \
      SECRET_CLOUDFLARE_API_KEY)                                                                   \
    X("cloudflare-global-api-key", "", "Cloudflare global API key", BZ_PROOF_CONTEXT,              \
      BZ_LEVEL_CONFIDENTIAL, SECRET_CLOUDFLARE_GLOBAL_API_KEY)                                     \
    X("cloudflare-origin-ca-key", "", "Cloudflare origin ca key", BZ_PROOF_CHECKSUM,               \
      BZ_LEVEL_CONFIDENTIAL, SECRET_CLOUDFLARE_ORIGIN_CA_KEY)                                      \
    X("codecov-access-token", "", "Codecov access token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      SECRET_CODECOV_ACCESS_TOKEN)                                                                 \
    X("cohere-api-token", "", "Cohere API token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,         \
      SECRET_COHERE_API_TOKEN)                                                                     \
    X("coinbase-access-token", "", "Coinbase access token", BZ_PROOF_CONTEXT,                      \
      BZ_LEVEL_CONFIDENTIAL, SECRET_COINBASE_ACCESS_TOKEN)                                         \
    X("confluent-access-token", "", "Confluent access token", BZ_PROOF_CONTEXT,                    \
      BZ_LEVEL_CONFIDENTIAL, SECRET_CONFLUENT_ACCESS_TOKEN)                                        \
    X("confluent-secret-key", "", "Confluent secret key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      SECRET_CONFLUENT_SECRET_KEY)                                                                 \
    X("contentful-delivery-api-token", "", "Contentful delivery API token", BZ_PROOF_CONTEXT,      \
      BZ_LEVEL_CONFIDENTIAL, SECRET_CONTENTFUL_DELIVERY_API_TOKEN)                                 \
    X("curl-auth-header", "", "Authorization header of a curl command", BZ_PROOF_CONTEXT,          \
      BZ_LEVEL_CONFIDENTIAL, SECRET_CURL_AUTH_HEADER)                                              \
    X("curl-auth-user", "", "password of curl -u", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,        \
      SECRET_CURL_AUTH_USER)                                                                       \
    X("databricks-api-token", "", "Databricks API token", BZ_PROOF_CHECKSUM,                       \
      BZ_LEVEL_CONFIDENTIAL, SECRET_DATABRICKS_API_TOKEN)                                          \
    X("datadog-access-token", "", "Datadog access token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      SECRET_DATADOG_ACCESS_TOKEN)                                                                 \
    X("defined-networking-api-token", "", "Defined networking API token", BZ_PROOF_CHECKSUM,       \
      BZ_LEVEL_CONFIDENTIAL, SECRET_DEFINED_NETWORKING_API_TOKEN)                                  \
    X("digitalocean-access-token", "", "DigitalOcean access token", BZ_PROOF_CHECKSUM,             \
      BZ_LEVEL_CONFIDENTIAL, SECRET_DIGITALOCEAN_ACCESS_TOKEN)                                     \
    X("digitalocean-pat", "", "DigitalOcean personal access token", BZ_PROOF_CHECKSUM,             \
      BZ_LEVEL_CONFIDENTIAL, SECRET_DIGITALOCEAN_PAT)                                              \
    X("digitalocean-refresh-token", "", "DigitalOcean refresh token", BZ_PROOF_CHECKSUM,           \
      BZ_LEVEL_CONFIDENTIAL, SECRET_DIGITALOCEAN_REFRESH_TOKEN)                                    \
    X("discord-api-token", "", "Discord API token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,       \
      SECRET_DISCORD_API_TOKEN)                                                                    \
    X("discord-client-id", "", "Discord client id", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,       \
      SECRET_DISCORD_CLIENT_ID)                                                                    \
    X("discord-client-secret", "", "Discord client secret", BZ_PROOF_CONTEXT,                      \
      BZ_LEVEL_CONFIDENTIAL, SECRET_DISCORD_CLIENT_SECRET)                                         \
    X("doppler-api-token", "", "Doppler API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,      \
      SECRET_DOPPLER_API_TOKEN)                                                                    \
    X("droneci-access-token", "", "Drone CI access token", BZ_PROOF_CONTEXT,                       \
      BZ_LEVEL_CONFIDENTIAL, SECRET_DRONECI_ACCESS_TOKEN)                                          \
    X("dropbox-api-token", "", "Dropbox API token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,       \
      SECRET_DROPBOX_API_TOKEN)                                                                    \
    X("dropbox-long-lived-api-token", "", "Dropbox long lived API token", BZ_PROOF_CONTEXT,        \
      BZ_LEVEL_CONFIDENTIAL, SECRET_DROPBOX_LONG_LIVED_API_TOKEN)                                  \
    X("dropbox-short-lived-api-token", "", "Dropbox short lived API token", BZ_PROOF_CHECKSUM,     \
      BZ_LEVEL_CONFIDENTIAL, SECRET_DROPBOX_SHORT_LIVED_API_TOKEN)                                 \
    X("duffel-api-token", "", "Duffel API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,        \
      SECRET_DUFFEL_API_TOKEN)                                                                     \
    X("dynatrace-api-token", "", "Dynatrace API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,  \
      SECRET_DYNATRACE_API_TOKEN)                                                                  \
    X("easypost-api-token", "", "EasyPost API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,    \
      SECRET_EASYPOST_API_TOKEN)                                                                   \
    X("easypost-test-api-token", "", "EasyPost test API token", BZ_PROOF_CHECKSUM,                 \
      BZ_LEVEL_CONFIDENTIAL, SECRET_EASYPOST_TEST_API_TOKEN)                                       \
    X("etsy-access-token", "", "Etsy access token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,       \
      SECRET_ETSY_ACCESS_TOKEN)                                                                    \
    X("facebook-access-token", "", "Facebook access token", BZ_PROOF_FORM, BZ_LEVEL_CONFIDENTIAL,  \
      SECRET_FACEBOOK_ACCESS_TOKEN)                                                                \
    X("facebook-page-access-token", "", "Facebook page access token", BZ_PROOF_CHECKSUM,           \
      BZ_LEVEL_CONFIDENTIAL, SECRET_FACEBOOK_PAGE_ACCESS_TOKEN)                                    \
    X("facebook-secret", "", "Facebook secret", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,           \
      SECRET_FACEBOOK_SECRET)                                                                      \
    X("fastly-api-token", "", "Fastly API token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,         \
      SECRET_FASTLY_API_TOKEN)                                                                     \
    X("finicity-api-token", "", "Finicity API token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,     \
      SECRET_FINICITY_API_TOKEN)                                                                   \
    X("finicity-client-secret", "", "Finicity client secret", BZ_PROOF_CONTEXT,                    \
      BZ_LEVEL_CONFIDENTIAL, SECRET_FINICITY_CLIENT_SECRET)                                        \
    X("finnhub-access-token", "", "Finnhub access token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      SECRET_FINNHUB_ACCESS_TOKEN)                                                                 \
    X("flickr-access-token", "", "Flickr access token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,   \
      SECRET_FLICKR_ACCESS_TOKEN)                                                                  \
    X("flutterwave-encryption-key", "", "Flutterwave encryption key", BZ_PROOF_CHECKSUM,           \
      BZ_LEVEL_CONFIDENTIAL, SECRET_FLUTTERWAVE_ENCRYPTION_KEY)                                    \
    X("flutterwave-public-key", "", "Flutterwave public key", BZ_PROOF_CHECKSUM,                   \
      BZ_LEVEL_CONFIDENTIAL, SECRET_FLUTTERWAVE_PUBLIC_KEY)                                        \
    X("flutterwave-secret-key", "", "Flutterwave secret key", BZ_PROOF_CHECKSUM,                   \
      BZ_LEVEL_CONFIDENTIAL, SECRET_FLUTTERWAVE_SECRET_KEY)                                        \
    X("flyio-access-token", "", "Fly.io access token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,   \
      SECRET_FLYIO_ACCESS_TOKEN)                                                                   \
    X("frameio-api-token", "", "Frame.io API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,     \
      SECRET_FRAMEIO_API_TOKEN)                                                                    \
    X("freemius-secret-key", "", "Freemius secret key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,   \
      SECRET_FREEMIUS_SECRET_KEY)                                                                  \
    X("freshbooks-access-token", "", "FreshBooks access token", BZ_PROOF_CONTEXT,                  \
      BZ_LEVEL_CONFIDENTIAL, SECRET_FRESHBOOKS_ACCESS_TOKEN)                                       \
    X("gcp-api-key", "", "Google Cloud API key", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,         \
      SECRET_GCP_API_KEY)                                                                          \
    X("github-app-token", "", "GitHub app token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,        \
      SECRET_GITHUB_APP_TOKEN)                                                                     \
    X("github-fine-grained-pat", "", "GitHub fine-grained personal access token",                  \
      BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, SECRET_GITHUB_FINE_GRAINED_PAT)                    \
    X("github-oauth", "", "GitHub OAuth", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,                \
      SECRET_GITHUB_OAUTH)                                                                         \
    X("github-pat", "", "GitHub personal access token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,  \
      SECRET_GITHUB_PAT)                                                                           \
    X("github-refresh-token", "", "GitHub refresh token", BZ_PROOF_CHECKSUM,                       \
      BZ_LEVEL_CONFIDENTIAL, SECRET_GITHUB_REFRESH_TOKEN)                                          \
    X("gitlab-cicd-job-token", "", "GitLab CI/CD job token", BZ_PROOF_CHECKSUM,                    \
      BZ_LEVEL_CONFIDENTIAL, SECRET_GITLAB_CICD_JOB_TOKEN)                                         \
    X("gitlab-deploy-token", "", "GitLab deploy token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,  \
      SECRET_GITLAB_DEPLOY_TOKEN)                                                                  \
    X("gitlab-feature-flag-client-token", "", "GitLab feature flag client token",                  \
      BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, SECRET_GITLAB_FEATURE_FLAG_CLIENT_TOKEN)           \
    X("gitlab-feed-token", "", "GitLab feed token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,      \
      SECRET_GITLAB_FEED_TOKEN)                                                                    \
    X("gitlab-incoming-mail-token", "", "GitLab incoming mail token", BZ_PROOF_CHECKSUM,           \
      BZ_LEVEL_CONFIDENTIAL, SECRET_GITLAB_INCOMING_MAIL_TOKEN)                                    \
    X("gitlab-kubernetes-agent-token", "", "GitLab kubernetes agent token", BZ_PROOF_CHECKSUM,     \
      BZ_LEVEL_CONFIDENTIAL, SECRET_GITLAB_KUBERNETES_AGENT_TOKEN)                                 \
    X("gitlab-oauth-app-secret", "", "GitLab OAuth app secret", BZ_PROOF_CHECKSUM,                 \
      BZ_LEVEL_CONFIDENTIAL, SECRET_GITLAB_OAUTH_APP_SECRET)                                       \
    X("gitlab-pat", "", "GitLab personal access token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,  \
      SECRET_GITLAB_PAT)                                                                           \
    X("gitlab-pat-routable", "", "GitLab personal access token, routable", BZ_PROOF_CHECKSUM,      \
      BZ_LEVEL_CONFIDENTIAL, SECRET_GITLAB_PAT_ROUTABLE)                                           \
    X("gitlab-ptt", "", "GitLab pipeline trigger token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, \
      SECRET_GITLAB_PTT)                                                                           \
    X("gitlab-rrt", "", "GitLab runner registration token", BZ_PROOF_CHECKSUM,                     \
      BZ_LEVEL_CONFIDENTIAL, SECRET_GITLAB_RRT)                                                    \
    X("gitlab-runner-authentication-token", "", "GitLab runner authentication token",              \
      BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, SECRET_GITLAB_RUNNER_AUTHENTICATION_TOKEN)         \
    X("gitlab-runner-authentication-token-routable", "",                                           \
      "GitLab runner authentication token routable", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,     \
      SECRET_GITLAB_RUNNER_AUTHENTICATION_TOKEN_ROUTABLE)                                          \
    X("gitlab-scim-token", "", "GitLab SCIM token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,      \
      SECRET_GITLAB_SCIM_TOKEN)                                                                    \
    X("gitlab-session-cookie", "", "GitLab session cookie", BZ_PROOF_CHECKSUM,                     \
      BZ_LEVEL_CONFIDENTIAL, SECRET_GITLAB_SESSION_COOKIE)                                         \
    X("gitter-access-token", "", "Gitter access token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,   \
      SECRET_GITTER_ACCESS_TOKEN)                                                                  \
    X("gocardless-api-token", "", "GoCardless API token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      SECRET_GOCARDLESS_API_TOKEN)                                                                 \
    X("grafana-api-key", "", "Grafana API key", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,          \
      SECRET_GRAFANA_API_KEY)                                                                      \
    X("grafana-cloud-api-token", "", "Grafana cloud API token", BZ_PROOF_CHECKSUM,                 \
      BZ_LEVEL_CONFIDENTIAL, SECRET_GRAFANA_CLOUD_API_TOKEN)                                       \
    X("grafana-service-account-token", "", "Grafana service account token", BZ_PROOF_CHECKSUM,     \
      BZ_LEVEL_CONFIDENTIAL, SECRET_GRAFANA_SERVICE_ACCOUNT_TOKEN)                                 \
    X("harness-api-key", "", "Harness API key", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,          \
      SECRET_HARNESS_API_KEY)                                                                      \
    X("hashicorp-tf-api-token", "", "HashiCorp Terraform API token", BZ_PROOF_CHECKSUM,            \
      BZ_LEVEL_CONFIDENTIAL, SECRET_HASHICORP_TF_API_TOKEN)                                        \
    X("hashicorp-tf-password", "", "HashiCorp Terraform password", BZ_PROOF_CONTEXT,               \
      BZ_LEVEL_CONFIDENTIAL, SECRET_HASHICORP_TF_PASSWORD)                                         \
    X("heroku-api-key", "", "Heroku API key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,             \
      SECRET_HEROKU_API_KEY)                                                                       \
    X("heroku-api-key-v2", "", "Heroku API key v2", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,      \
      SECRET_HEROKU_API_KEY_V2)                                                                    \
    X("hubspot-api-key", "", "HubSpot API key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,           \
      SECRET_HUBSPOT_API_KEY)                                                                      \
    X("huggingface-access-token", "", "Hugging Face access token", BZ_PROOF_CHECKSUM,              \
      BZ_LEVEL_CONFIDENTIAL, SECRET_HUGGINGFACE_ACCESS_TOKEN)                                      \
    X("huggingface-organization-api-token", "", "Hugging Face organization API token",             \
      BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, SECRET_HUGGINGFACE_ORGANIZATION_API_TOKEN)         \
    X("infracost-api-token", "", "Infracost API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,  \
      SECRET_INFRACOST_API_TOKEN)                                                                  \
    X("intercom-api-key", "", "Intercom API key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,         \
      SECRET_INTERCOM_API_KEY)                                                                     \
    X("intra42-client-secret", "", "Intra 42 client secret", BZ_PROOF_CHECKSUM,                    \
      BZ_LEVEL_CONFIDENTIAL, SECRET_INTRA42_CLIENT_SECRET)                                         \
    X("jfrog-api-key", "", "JFrog API key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,               \
      SECRET_JFROG_API_KEY)                                                                        \
    X("jfrog-identity-token", "", "JFrog identity token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      SECRET_JFROG_IDENTITY_TOKEN)                                                                 \
    X("jwt", "", "JSON web token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, SECRET_JWT)           \
    X("jwt-base64", "", "JSON web token in base64", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,      \
      SECRET_JWT_BASE64)                                                                           \
    X("kraken-access-token", "", "Kraken access token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,   \
      SECRET_KRAKEN_ACCESS_TOKEN)                                                                  \
    X("kubernetes-secret-yaml", "", "Kubernetes secret YAML", BZ_PROOF_CONTEXT,                    \
      BZ_LEVEL_CONFIDENTIAL, SECRET_KUBERNETES_SECRET_YAML)                                        \
    X("kucoin-access-token", "", "KuCoin access token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,   \
      SECRET_KUCOIN_ACCESS_TOKEN)                                                                  \
    X("kucoin-secret-key", "", "KuCoin secret key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,       \
      SECRET_KUCOIN_SECRET_KEY)                                                                    \
    X("launchdarkly-access-token", "", "LaunchDarkly access token", BZ_PROOF_CHECKSUM,             \
      BZ_LEVEL_CONFIDENTIAL, SECRET_LAUNCHDARKLY_ACCESS_TOKEN)                                     \
    X("linear-api-key", "", "Linear API key", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,            \
      SECRET_LINEAR_API_KEY)                                                                       \
    X("linear-client-secret", "", "Linear client secret", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      SECRET_LINEAR_CLIENT_SECRET)                                                                 \
    X("linkedin-client-id", "", "LinkedIn client id", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,     \
      SECRET_LINKEDIN_CLIENT_ID)                                                                   \
    X("linkedin-client-secret", "", "LinkedIn client secret", BZ_PROOF_CONTEXT,                    \
      BZ_LEVEL_CONFIDENTIAL, SECRET_LINKEDIN_CLIENT_SECRET)                                        \
    X("lob-api-key", "", "Lob API key", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,                  \
      SECRET_LOB_API_KEY)                                                                          \
    X("lob-pub-api-key", "", "Lob pub API key", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,          \
      SECRET_LOB_PUB_API_KEY)                                                                      \
    X("looker-client-id", "", "Looker client id", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,         \
      SECRET_LOOKER_CLIENT_ID)                                                                     \
    X("looker-client-secret", "", "Looker client secret", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      SECRET_LOOKER_CLIENT_SECRET)                                                                 \
    X("mailchimp-api-key", "", "Mailchimp API key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,       \
      SECRET_MAILCHIMP_API_KEY)                                                                    \
    X("mailgun-private-api-token", "", "Mailgun private API token", BZ_PROOF_CONTEXT,              \
      BZ_LEVEL_CONFIDENTIAL, SECRET_MAILGUN_PRIVATE_API_TOKEN)                                     \
    X("mailgun-pub-key", "", "Mailgun pub key", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,          \
      SECRET_MAILGUN_PUB_KEY)                                                                      \
    X("mailgun-signing-key", "", "Mailgun signing key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,   \
      SECRET_MAILGUN_SIGNING_KEY)                                                                  \
    X("mapbox-api-token", "", "Mapbox API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,        \
      SECRET_MAPBOX_API_TOKEN)                                                                     \
    X("mattermost-access-token", "", "Mattermost access token", BZ_PROOF_CONTEXT,                  \
      BZ_LEVEL_CONFIDENTIAL, SECRET_MATTERMOST_ACCESS_TOKEN)                                       \
    X("maxmind-license-key", "", "MaxMind license key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,   \
      SECRET_MAXMIND_LICENSE_KEY)                                                                  \
    X("messagebird-api-token", "", "MessageBird API token", BZ_PROOF_CONTEXT,                      \
      BZ_LEVEL_CONFIDENTIAL, SECRET_MESSAGEBIRD_API_TOKEN)                                         \
    X("messagebird-client-id", "", "MessageBird client id", BZ_PROOF_CONTEXT,                      \
      BZ_LEVEL_CONFIDENTIAL, SECRET_MESSAGEBIRD_CLIENT_ID)                                         \
    X("microsoft-teams-webhook", "", "Microsoft teams webhook", BZ_PROOF_CHECKSUM,                 \
      BZ_LEVEL_CONFIDENTIAL, SECRET_MICROSOFT_TEAMS_WEBHOOK)                                       \
    X("netlify-access-token", "", "Netlify access token", BZ_PROOF_CHECKSUM,                       \
      BZ_LEVEL_CONFIDENTIAL, SECRET_NETLIFY_ACCESS_TOKEN)                                          \
    X("new-relic-browser-api-token", "", "New relic browser API token", BZ_PROOF_CHECKSUM,         \
      BZ_LEVEL_CONFIDENTIAL, SECRET_NEW_RELIC_BROWSER_API_TOKEN)                                   \
    X("new-relic-insert-key", "", "New relic insert key", BZ_PROOF_CHECKSUM,                       \
      BZ_LEVEL_CONFIDENTIAL, SECRET_NEW_RELIC_INSERT_KEY)                                          \
    X("new-relic-user-api-id", "", "New relic user API id", BZ_PROOF_CONTEXT,                      \
      BZ_LEVEL_CONFIDENTIAL, SECRET_NEW_RELIC_USER_API_ID)                                         \
    X("new-relic-user-api-key", "", "New relic user API key", BZ_PROOF_CHECKSUM,                   \
      BZ_LEVEL_CONFIDENTIAL, SECRET_NEW_RELIC_USER_API_KEY)                                        \
    X("notion-api-token", "", "Notion API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,        \
      SECRET_NOTION_API_TOKEN)                                                                     \
    X("npm-access-token", "", "npm access token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,        \
      SECRET_NPM_ACCESS_TOKEN)                                                                     \
    X("nuget-config-password", "", "Nuget config password", BZ_PROOF_CONTEXT,                      \
      BZ_LEVEL_CONFIDENTIAL, SECRET_NUGET_CONFIG_PASSWORD)                                         \
    X("nytimes-access-token", "", "New York Times access token", BZ_PROOF_CONTEXT,                 \
      BZ_LEVEL_CONFIDENTIAL, SECRET_NYTIMES_ACCESS_TOKEN)                                          \
    X("octopus-deploy-api-key", "", "Octopus deploy API key", BZ_PROOF_CHECKSUM,                   \
      BZ_LEVEL_CONFIDENTIAL, SECRET_OCTOPUS_DEPLOY_API_KEY)                                        \
    X("okta-access-token", "", "Okta access token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,       \
      SECRET_OKTA_ACCESS_TOKEN)                                                                    \
    X("openai-api-key", "", "OpenAI API key", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,            \
      SECRET_OPENAI_API_KEY)                                                                       \
    X("openshift-user-token", "", "Openshift user token", BZ_PROOF_CHECKSUM,                       \
      BZ_LEVEL_CONFIDENTIAL, SECRET_OPENSHIFT_USER_TOKEN)                                          \
    X("perplexity-api-key", "", "Perplexity API key", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,    \
      SECRET_PERPLEXITY_API_KEY)                                                                   \
    X("pkcs12-file", "", "PKCS#12 container in base64", BZ_PROOF_CHECKSUM, BZ_LEVEL_RESTRICTED,    \
      SECRET_PKCS12_FILE)                                                                          \
    X("plaid-api-token", "", "Plaid API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,          \
      SECRET_PLAID_API_TOKEN)                                                                      \
    X("plaid-client-id", "", "Plaid client id", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,           \
      SECRET_PLAID_CLIENT_ID)                                                                      \
    X("plaid-secret-key", "", "Plaid secret key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,         \
      SECRET_PLAID_SECRET_KEY)                                                                     \
    X("planetscale-api-token", "", "PlanetScale API token", BZ_PROOF_CHECKSUM,                     \
      BZ_LEVEL_CONFIDENTIAL, SECRET_PLANETSCALE_API_TOKEN)                                         \
    X("planetscale-oauth-token", "", "PlanetScale OAuth token", BZ_PROOF_CHECKSUM,                 \
      BZ_LEVEL_CONFIDENTIAL, SECRET_PLANETSCALE_OAUTH_TOKEN)                                       \
    X("planetscale-password", "", "PlanetScale password", BZ_PROOF_CHECKSUM,                       \
      BZ_LEVEL_CONFIDENTIAL, SECRET_PLANETSCALE_PASSWORD)                                          \
    X("postman-api-token", "", "Postman API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,      \
      SECRET_POSTMAN_API_TOKEN)                                                                    \
    X("prefect-api-token", "", "Prefect API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,      \
      SECRET_PREFECT_API_TOKEN)                                                                    \
    X("private-key", "", "private key (PEM, OpenSSH, PGP)", BZ_PROOF_CHECKSUM,                     \
      BZ_LEVEL_RESTRICTED, SECRET_PRIVATE_KEY)                                                     \
    X("privateai-api-token", "", "Private AI API token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,  \
      SECRET_PRIVATEAI_API_TOKEN)                                                                  \
    X("pulumi-api-token", "", "Pulumi API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,        \
      SECRET_PULUMI_API_TOKEN)                                                                     \
    X("pypi-upload-token", "", "PyPI upload token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,      \
      SECRET_PYPI_UPLOAD_TOKEN)                                                                    \
    X("rapidapi-access-token", "", "RapidAPI access token", BZ_PROOF_CONTEXT,                      \
      BZ_LEVEL_CONFIDENTIAL, SECRET_RAPIDAPI_ACCESS_TOKEN)                                         \
    X("readme-api-token", "", "Readme API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,        \
      SECRET_README_API_TOKEN)                                                                     \
    X("rubygems-api-token", "", "Rubygems API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,    \
      SECRET_RUBYGEMS_API_TOKEN)                                                                   \
    X("scalingo-api-token", "", "Scalingo API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,    \
      SECRET_SCALINGO_API_TOKEN)                                                                   \
    X("sendbird-access-id", "", "Sendbird access id", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,     \
      SECRET_SENDBIRD_ACCESS_ID)                                                                   \
    X("sendbird-access-token", "", "Sendbird access token", BZ_PROOF_CONTEXT,                      \
      BZ_LEVEL_CONFIDENTIAL, SECRET_SENDBIRD_ACCESS_TOKEN)                                         \
    X("sendgrid-api-token", "", "SendGrid API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,    \
      SECRET_SENDGRID_API_TOKEN)                                                                   \
    X("sendinblue-api-token", "", "Sendinblue API token", BZ_PROOF_CHECKSUM,                       \
      BZ_LEVEL_CONFIDENTIAL, SECRET_SENDINBLUE_API_TOKEN)                                          \
    X("sentry-access-token", "", "Sentry access token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,   \
      SECRET_SENTRY_ACCESS_TOKEN)                                                                  \
    X("sentry-org-token", "", "Sentry org token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,        \
      SECRET_SENTRY_ORG_TOKEN)                                                                     \
    X("sentry-user-token", "", "Sentry user token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,      \
      SECRET_SENTRY_USER_TOKEN)                                                                    \
    X("settlemint-application-access-token", "", "SettleMint application access token",            \
      BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, SECRET_SETTLEMINT_APPLICATION_ACCESS_TOKEN)        \
    X("settlemint-personal-access-token", "", "SettleMint personal access token",                  \
      BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, SECRET_SETTLEMINT_PERSONAL_ACCESS_TOKEN)           \
    X("settlemint-service-access-token", "", "SettleMint service access token", BZ_PROOF_CHECKSUM, \
      BZ_LEVEL_CONFIDENTIAL, SECRET_SETTLEMINT_SERVICE_ACCESS_TOKEN)                               \
    X("shippo-api-token", "", "Shippo API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,        \
      SECRET_SHIPPO_API_TOKEN)                                                                     \
    X("shopify-access-token", "", "Shopify access token", BZ_PROOF_CHECKSUM,                       \
      BZ_LEVEL_CONFIDENTIAL, SECRET_SHOPIFY_ACCESS_TOKEN)                                          \
    X("shopify-custom-access-token", "", "Shopify custom access token", BZ_PROOF_CHECKSUM,         \
      BZ_LEVEL_CONFIDENTIAL, SECRET_SHOPIFY_CUSTOM_ACCESS_TOKEN)                                   \
    X("shopify-private-app-access-token", "", "Shopify private app access token",                  \
      BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL, SECRET_SHOPIFY_PRIVATE_APP_ACCESS_TOKEN)           \
    X("shopify-shared-secret", "", "Shopify shared secret", BZ_PROOF_CHECKSUM,                     \
      BZ_LEVEL_CONFIDENTIAL, SECRET_SHOPIFY_SHARED_SECRET)                                         \
    X("sidekiq-secret", "", "Sidekiq secret", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,             \
      SECRET_SIDEKIQ_SECRET)                                                                       \
    X("sidekiq-sensitive-url", "", "Sidekiq sensitive URL", BZ_PROOF_CHECKSUM,                     \
      BZ_LEVEL_CONFIDENTIAL, SECRET_SIDEKIQ_SENSITIVE_URL)                                         \
    X("slack-app-token", "", "Slack app token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,          \
      SECRET_SLACK_APP_TOKEN)                                                                      \
    X("slack-bot-token", "", "Slack bot token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,          \
      SECRET_SLACK_BOT_TOKEN)                                                                      \
    X("slack-config-access-token", "", "Slack config access token", BZ_PROOF_CHECKSUM,             \
      BZ_LEVEL_CONFIDENTIAL, SECRET_SLACK_CONFIG_ACCESS_TOKEN)                                     \
    X("slack-config-refresh-token", "", "Slack config refresh token", BZ_PROOF_CHECKSUM,           \
      BZ_LEVEL_CONFIDENTIAL, SECRET_SLACK_CONFIG_REFRESH_TOKEN)                                    \
    X("slack-legacy-bot-token", "", "Slack legacy bot token", BZ_PROOF_CHECKSUM,                   \
      BZ_LEVEL_CONFIDENTIAL, SECRET_SLACK_LEGACY_BOT_TOKEN)                                        \
    X("slack-legacy-token", "", "Slack legacy token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,    \
      SECRET_SLACK_LEGACY_TOKEN)                                                                   \
    X("slack-legacy-workspace-token", "", "Slack legacy workspace token", BZ_PROOF_CHECKSUM,       \
      BZ_LEVEL_CONFIDENTIAL, SECRET_SLACK_LEGACY_WORKSPACE_TOKEN)                                  \
    X("slack-user-token", "", "Slack user token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,        \
      SECRET_SLACK_USER_TOKEN)                                                                     \
    X("slack-webhook-url", "", "Slack webhook URL", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,      \
      SECRET_SLACK_WEBHOOK_URL)                                                                    \
    X("snyk-api-token", "", "Snyk API token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,             \
      SECRET_SNYK_API_TOKEN)                                                                       \
    X("sonar-api-token", "", "Sonar API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,          \
      SECRET_SONAR_API_TOKEN)                                                                      \
    X("sourcegraph-access-token", "", "Sourcegraph access token", BZ_PROOF_CHECKSUM,               \
      BZ_LEVEL_CONFIDENTIAL, SECRET_SOURCEGRAPH_ACCESS_TOKEN)                                      \
    X("square-access-token", "", "Square access token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,  \
      SECRET_SQUARE_ACCESS_TOKEN)                                                                  \
    X("squarespace-access-token", "", "Squarespace access token", BZ_PROOF_CONTEXT,                \
      BZ_LEVEL_CONFIDENTIAL, SECRET_SQUARESPACE_ACCESS_TOKEN)                                      \
    X("stripe-access-token", "", "Stripe access token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,  \
      SECRET_STRIPE_ACCESS_TOKEN)                                                                  \
    X("sumologic-access-id", "", "Sumo Logic access id", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,  \
      SECRET_SUMOLOGIC_ACCESS_ID)                                                                  \
    X("sumologic-access-token", "", "Sumo Logic access token", BZ_PROOF_CONTEXT,                   \
      BZ_LEVEL_CONFIDENTIAL, SECRET_SUMOLOGIC_ACCESS_TOKEN)                                        \
    X("telegram-bot-api-token", "", "Telegram bot API token", BZ_PROOF_CHECKSUM,                   \
      BZ_LEVEL_CONFIDENTIAL, SECRET_TELEGRAM_BOT_API_TOKEN)                                        \
    X("travisci-access-token", "", "Travis CI access token", BZ_PROOF_CONTEXT,                     \
      BZ_LEVEL_CONFIDENTIAL, SECRET_TRAVISCI_ACCESS_TOKEN)                                         \
    X("twilio-api-key", "", "Twilio API key", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,            \
      SECRET_TWILIO_API_KEY)                                                                       \
    X("twitch-api-token", "", "Twitch API token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,         \
      SECRET_TWITCH_API_TOKEN)                                                                     \
    X("twitter-access-secret", "", "Twitter access secret", BZ_PROOF_CONTEXT,                      \
      BZ_LEVEL_CONFIDENTIAL, SECRET_TWITTER_ACCESS_SECRET)                                         \
    X("twitter-access-token", "", "Twitter access token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      SECRET_TWITTER_ACCESS_TOKEN)                                                                 \
    X("twitter-api-key", "", "Twitter API key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,           \
      SECRET_TWITTER_API_KEY)                                                                      \
    X("twitter-api-secret", "", "Twitter API secret", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,     \
      SECRET_TWITTER_API_SECRET)                                                                   \
    X("twitter-bearer-token", "", "Twitter bearer token", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL, \
      SECRET_TWITTER_BEARER_TOKEN)                                                                 \
    X("typeform-api-token", "", "Typeform API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,    \
      SECRET_TYPEFORM_API_TOKEN)                                                                   \
    X("vault-batch-token", "", "Vault batch token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,      \
      SECRET_VAULT_BATCH_TOKEN)                                                                    \
    X("vault-service-token", "", "Vault service token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,  \
      SECRET_VAULT_SERVICE_TOKEN)                                                                  \
    X("yandex-access-token", "", "Yandex access token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,  \
      SECRET_YANDEX_ACCESS_TOKEN)                                                                  \
    X("yandex-api-key", "", "Yandex API key", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,            \
      SECRET_YANDEX_API_KEY)                                                                       \
    X("yandex-aws-access-token", "", "Yandex AWS access token", BZ_PROOF_CONTEXT,                  \
      BZ_LEVEL_CONFIDENTIAL, SECRET_YANDEX_AWS_ACCESS_TOKEN)                                       \
    X("zendesk-secret-key", "", "Zendesk secret key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,     \
      SECRET_ZENDESK_SECRET_KEY)                                                                   \
    X("authorization-header", "", "value of an Authorization header", BZ_PROOF_CONTEXT,            \
      BZ_LEVEL_CONFIDENTIAL, SECRET_AUTHORIZATION_HEADER)                                          \
    X("aws-secret-access-key", "", "AWS secret access key", BZ_PROOF_CONTEXT,                      \
      BZ_LEVEL_CONFIDENTIAL, SECRET_AWS_SECRET_ACCESS_KEY)                                         \
    X("azure-account-key", "", "Azure account key", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,       \
      SECRET_AZURE_ACCOUNT_KEY)                                                                    \
    X("azure-sas-signature", "", "Azure SAS signature", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,   \
      SECRET_AZURE_SAS_SIGNATURE)                                                                  \
    X("bartizan-api-key", "", "Bartizan API key", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,        \
      SECRET_BARTIZAN_API_KEY)                                                                     \
    X("docker-pat", "", "Docker access token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,           \
      SECRET_DOCKER_PAT)                                                                           \
    X("figma-api-token", "", "Figma API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,          \
      SECRET_FIGMA_API_TOKEN)                                                                      \
    X("gcp-service-account-key-id", "", "Google Cloud service account key id", BZ_PROOF_CONTEXT,   \
      BZ_LEVEL_CONFIDENTIAL, SECRET_GCP_SERVICE_ACCOUNT_KEY_ID)                                    \
    X("google-oauth-client-secret", "", "Google OAuth client secret", BZ_PROOF_CHECKSUM,           \
      BZ_LEVEL_CONFIDENTIAL, SECRET_GOOGLE_OAUTH_CLIENT_SECRET)                                    \
    X("google-oauth-token", "", "Google OAuth token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,    \
      SECRET_GOOGLE_OAUTH_TOKEN)                                                                   \
    X("google-refresh-token", "", "Google refresh token", BZ_PROOF_CHECKSUM,                       \
      BZ_LEVEL_CONFIDENTIAL, SECRET_GOOGLE_REFRESH_TOKEN)                                          \
    X("groq-api-key", "", "Groq API key", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,                \
      SECRET_GROQ_API_KEY)                                                                         \
    X("langsmith-api-key", "", "LangSmith API key", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,      \
      SECRET_LANGSMITH_API_KEY)                                                                    \
    X("nvidia-api-key", "", "NVIDIA API key", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,            \
      SECRET_NVIDIA_API_KEY)                                                                       \
    X("openrouter-api-key", "", "OpenRouter API key", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,    \
      SECRET_OPENROUTER_API_KEY)                                                                   \
    X("replicate-api-token", "", "Replicate API token", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,  \
      SECRET_REPLICATE_API_TOKEN)                                                                  \
    X("stripe-webhook-secret", "", "Stripe webhook secret", BZ_PROOF_CHECKSUM,                     \
      BZ_LEVEL_CONFIDENTIAL, SECRET_STRIPE_WEBHOOK_SECRET)                                         \
    X("supabase-access-token", "", "Supabase access token", BZ_PROOF_CHECKSUM,                     \
      BZ_LEVEL_CONFIDENTIAL, SECRET_SUPABASE_ACCESS_TOKEN)                                         \
    X("tavily-api-key", "", "Tavily API key", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,            \
      SECRET_TAVILY_API_KEY)                                                                       \
    X("url-credentials", "", "password in a URL", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,         \
      SECRET_URL_CREDENTIALS)                                                                      \
    X("xai-api-key", "", "xAI API key", BZ_PROOF_CHECKSUM, BZ_LEVEL_CONFIDENTIAL,                  \
      SECRET_XAI_API_KEY)                                                                          \
    X("password", "", "password in an assignment", BZ_PROOF_CONTEXT, BZ_LEVEL_CONFIDENTIAL,        \
      SECRET_PASSWORD)                                                                             \
    X("generic-api-key", "", "random value behind a word like key, token, secret", BZ_PROOF_FORM,  \
      BZ_LEVEL_CONFIDENTIAL, SECRET_GENERIC_API_KEY)

#define SECRETS_ENUM(id, region, what, proof, level, name, ...) name,
enum { SECRETS_TYPES(SECRETS_ENUM) SECRET_COUNT };

#endif
