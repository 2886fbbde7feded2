/* Words that stand before a value: names of providers and what everybody calls a secret. Sorted.
 *   W(word in lower case, group, flags)      the groups' rows are in secrets_keyed.c */
#ifndef DETECT_SECRETS_WORDS_H
#define DETECT_SECRETS_WORDS_H

enum {
    GROUP_ADAFRUIT,
    GROUP_ADOBE,
    GROUP_AIRTABLE,
    GROUP_ALGOLIA,
    GROUP_ALIBABA,
    GROUP_ARTIFACTORY,
    GROUP_ASANA,
    GROUP_ATLASSIAN,
    GROUP_AUTHORIZATION,
    GROUP_AWS,
    GROUP_AZURE,
    GROUP_BEAMER,
    GROUP_BEARER,
    GROUP_BITBUCKET,
    GROUP_BITTREX,
    GROUP_CISCO,
    GROUP_CLOUDFLARE,
    GROUP_CODECOV,
    GROUP_COHERE,
    GROUP_COINBASE,
    GROUP_CONFLUENT,
    GROUP_CONTENTFUL,
    GROUP_DATADOG,
    GROUP_DISCORD,
    GROUP_DRONECI,
    GROUP_DROPBOX,
    GROUP_ETSY,
    GROUP_FACEBOOK,
    GROUP_FASTLY,
    GROUP_FINICITY,
    GROUP_FINNHUB,
    GROUP_FLICKR,
    GROUP_FREEMIUS,
    GROUP_FRESHBOOKS,
    GROUP_GCPSA,
    GROUP_GENERIC,
    GROUP_GITLABCOOKIE,
    GROUP_GITTER,
    GROUP_GOCARDLESS,
    GROUP_HEROKU,
    GROUP_HUBSPOT,
    GROUP_INTERCOM,
    GROUP_KRAKEN,
    GROUP_KUCOIN,
    GROUP_LAUNCHDARKLY,
    GROUP_LINEAR,
    GROUP_LINKEDIN,
    GROUP_LOOKER,
    GROUP_MAILCHIMP,
    GROUP_MAILGUN,
    GROUP_MATTERMOST,
    GROUP_MAXMIND,
    GROUP_MESSAGEBIRD,
    GROUP_NETLIFY,
    GROUP_NEWRELIC,
    GROUP_NUGET,
    GROUP_NYTIMES,
    GROUP_OKTA,
    GROUP_PASSWORD,
    GROUP_PLAID,
    GROUP_PRIVATEAI,
    GROUP_RAPIDAPI,
    GROUP_SAS,
    GROUP_SENDBIRD,
    GROUP_SENTRY,
    GROUP_SIDEKIQ,
    GROUP_SLACKHOOK,
    GROUP_SNYK,
    GROUP_SONAR,
    GROUP_SOURCEGRAPH,
    GROUP_SQUARESPACE,
    GROUP_SUMOLOGIC,
    GROUP_TEAMSHOOK,
    GROUP_TELEGRAM,
    GROUP_TFPASSWORD,
    GROUP_TRAVIS,
    GROUP_TWITCH,
    GROUP_TWITTER,
    GROUP_TYPEFORM,
    GROUP_YANDEX,
    GROUP_ZENDESK,
    GROUP_COUNT
};

#define SECRETS_WORDS(W)                                                                           \
    W("\"auth\"", GROUP_AUTHORIZATION, WORD_ANY)                                                   \
    W("-key", GROUP_GENERIC, WORD_ANY)                                                             \
    W("_auth", GROUP_GENERIC, WORD_ANY | WORD_WHOLE)                                               \
    W("_gitlab_session=", GROUP_GITLABCOOKIE, WORD_DIRECT)                                         \
    W("_key", GROUP_GENERIC, WORD_ANY)                                                             \
    W("_pass", GROUP_PASSWORD, WORD_ANY | WORD_WHOLE)                                              \
    W("access key", GROUP_GENERIC, WORD_ANY)                                                       \
    W("accesskey", GROUP_GENERIC, WORD_ANY)                                                        \
    W("accountkey", GROUP_AZURE, 0)                                                                \
    W("adafruit", GROUP_ADAFRUIT, 0)                                                               \
    W("administrator_login_password", GROUP_TFPASSWORD, 0)                                         \
    W("adobe", GROUP_ADOBE, 0)                                                                     \
    W("airtable", GROUP_AIRTABLE, 0)                                                               \
    W("algolia", GROUP_ALGOLIA, 0)                                                                 \
    W("alibaba", GROUP_ALIBABA, 0)                                                                 \
    W("aliyun", GROUP_ALIBABA, 0)                                                                  \
    W("api key", GROUP_GENERIC, WORD_ANY)                                                          \
    W("apikey", GROUP_GENERIC, WORD_ANY)                                                           \
    W("artifactory", GROUP_ARTIFACTORY, 0)                                                         \
    W("asana", GROUP_ASANA, 0)                                                                     \
    W("atlassian", GROUP_ATLASSIAN, 0)                                                             \
    W("auth_", GROUP_GENERIC, WORD_ANY)                                                            \
    W("authkey", GROUP_GENERIC, WORD_ANY)                                                          \
    W("authorization", GROUP_AUTHORIZATION, WORD_WHOLE)                                            \
    W("aws", GROUP_AWS, 0)                                                                         \
    W("beamer", GROUP_BEAMER, 0)                                                                   \
    W("bearer ", GROUP_BEARER, WORD_DIRECT)                                                        \
    W("bintray", GROUP_ARTIFACTORY, 0)                                                             \
    W("bitbucket", GROUP_BITBUCKET, 0)                                                             \
    W("bittrex", GROUP_BITTREX, 0)                                                                 \
    W("bundle_enterprise__contribsys__com", GROUP_SIDEKIQ, 0)                                      \
    W("bundle_gems__contribsys__com", GROUP_SIDEKIQ, 0)                                            \
    W("cleartextpassword", GROUP_NUGET, 0)                                                         \
    W("cloudflare", GROUP_CLOUDFLARE, 0)                                                           \
    W("co_api_key", GROUP_COHERE, 0)                                                               \
    W("codecov", GROUP_CODECOV, 0)                                                                 \
    W("cohere", GROUP_COHERE, 0)                                                                   \
    W("coinbase", GROUP_COINBASE, 0)                                                               \
    W("confluence", GROUP_ATLASSIAN, 0)                                                            \
    W("confluent", GROUP_CONFLUENT, 0)                                                             \
    W("contentful", GROUP_CONTENTFUL, 0)                                                           \
    W("contraseña", GROUP_PASSWORD, 0)                                                             \
    W("credential", GROUP_GENERIC, WORD_ANY)                                                       \
    W("creds", GROUP_GENERIC, WORD_ANY | WORD_WHOLE)                                               \
    W("datadog", GROUP_DATADOG, 0)                                                                 \
    W("discord", GROUP_DISCORD, 0)                                                                 \
    W("drone_secret", GROUP_DRONECI, 0)                                                            \
    W("drone_token", GROUP_DRONECI, 0)                                                             \
    W("droneci", GROUP_DRONECI, 0)                                                                 \
    W("dropbox", GROUP_DROPBOX, 0)                                                                 \
    W("encryptionkey", GROUP_GENERIC, WORD_ANY)                                                    \
    W("etsy", GROUP_ETSY, 0)                                                                       \
    W("facebook", GROUP_FACEBOOK, 0)                                                               \
    W("fastly", GROUP_FASTLY, 0)                                                                   \
    W("finicity", GROUP_FINICITY, 0)                                                               \
    W("finnhub", GROUP_FINNHUB, 0)                                                                 \
    W("flickr", GROUP_FLICKR, 0)                                                                   \
    W("freshbooks", GROUP_FRESHBOOKS, 0)                                                           \
    W("gitter", GROUP_GITTER, 0)                                                                   \
    W("gocardless", GROUP_GOCARDLESS, 0)                                                           \
    W("heroku", GROUP_HEROKU, 0)                                                                   \
    W("hooks.slack.com/services/", GROUP_SLACKHOOK, WORD_DIRECT)                                   \
    W("hooks.slack.com/triggers/", GROUP_SLACKHOOK, WORD_DIRECT)                                   \
    W("hooks.slack.com/workflows/", GROUP_SLACKHOOK, WORD_DIRECT)                                  \
    W("hubspot", GROUP_HUBSPOT, 0)                                                                 \
    W("intercom", GROUP_INTERCOM, 0)                                                               \
    W("jfrog", GROUP_ARTIFACTORY, 0)                                                               \
    W("jira", GROUP_ATLASSIAN, 0)                                                                  \
    W("kennwort", GROUP_PASSWORD, WORD_ANY)                                                        \
    W("key_material", GROUP_GENERIC, WORD_ANY)                                                     \
    W("kraken", GROUP_KRAKEN, 0)                                                                   \
    W("kucoin", GROUP_KUCOIN, 0)                                                                   \
    W("launchdarkly", GROUP_LAUNCHDARKLY, 0)                                                       \
    W("license_key", GROUP_MAXMIND, 0)                                                             \
    W("licensekey", GROUP_MAXMIND, 0)                                                              \
    W("linear", GROUP_LINEAR, 0)                                                                   \
    W("linked-in", GROUP_LINKEDIN, 0)                                                              \
    W("linked_in", GROUP_LINKEDIN, 0)                                                              \
    W("linkedin", GROUP_LINKEDIN, 0)                                                               \
    W("looker", GROUP_LOOKER, 0)                                                                   \
    W("mailchimp", GROUP_MAILCHIMP, 0)                                                             \
    W("mailgun", GROUP_MAILGUN, 0)                                                                 \
    W("mattermost", GROUP_MATTERMOST, 0)                                                           \
    W("maxmind", GROUP_MAXMIND, 0)                                                                 \
    W("meraki", GROUP_CISCO, 0)                                                                    \
    W("message-bird", GROUP_MESSAGEBIRD, 0)                                                        \
    W("message_bird", GROUP_MESSAGEBIRD, 0)                                                        \
    W("messagebird", GROUP_MESSAGEBIRD, 0)                                                         \
    W("mot de passe", GROUP_PASSWORD, 0)                                                           \
    W("netlify", GROUP_NETLIFY, 0)                                                                 \
    W("new-relic", GROUP_NEWRELIC, 0)                                                              \
    W("new-york-times", GROUP_NYTIMES, 0)                                                          \
    W("new_relic", GROUP_NEWRELIC, 0)                                                              \
    W("newrelic", GROUP_NEWRELIC, 0)                                                               \
    W("newyorktimes", GROUP_NYTIMES, 0)                                                            \
    W("nytimes", GROUP_NYTIMES, 0)                                                                 \
    W("okta", GROUP_OKTA, 0)                                                                       \
    W("passcode", GROUP_PASSWORD, WORD_ANY | WORD_WHOLE)                                           \
    W("passphrase", GROUP_PASSWORD, WORD_ANY)                                                      \
    W("passwd", GROUP_PASSWORD, WORD_ANY)                                                          \
    W("password", GROUP_PASSWORD, WORD_ANY)                                                        \
    W("passwort", GROUP_PASSWORD, WORD_ANY)                                                        \
    W("plaid", GROUP_PLAID, 0)                                                                     \
    W("private-ai", GROUP_PRIVATEAI, 0)                                                            \
    W("private-token", GROUP_GENERIC, WORD_ANY)                                                    \
    W("private_ai", GROUP_PRIVATEAI, 0)                                                            \
    W("private_key_id", GROUP_GCPSA, 0)                                                            \
    W("privateai", GROUP_PRIVATEAI, 0)                                                             \
    W("privatekey", GROUP_GENERIC, WORD_ANY)                                                       \
    W("psk", GROUP_PASSWORD, WORD_WHOLE)                                                           \
    W("pwd", GROUP_PASSWORD, WORD_ANY | WORD_WHOLE)                                                \
    W("rapidapi", GROUP_RAPIDAPI, 0)                                                               \
    W("secret", GROUP_GENERIC, WORD_ANY)                                                           \
    W("secret access key", GROUP_AWS, 0)                                                           \
    W("secret-access-key", GROUP_AWS, 0)                                                           \
    W("secret_access_key", GROUP_AWS, 0)                                                           \
    W("secret_key", GROUP_FREEMIUS, 0)                                                             \
    W("secretaccesskey", GROUP_AWS, 0)                                                             \
    W("secretkey", GROUP_GENERIC, WORD_ANY)                                                        \
    W("sendbird", GROUP_SENDBIRD, 0)                                                               \
    W("senha", GROUP_PASSWORD, WORD_WHOLE)                                                         \
    W("sentry", GROUP_SENTRY, 0)                                                                   \
    W("sharedaccesskey", GROUP_AZURE, 0)                                                           \
    W("sig=", GROUP_SAS, WORD_DIRECT)                                                              \
    W("snyk", GROUP_SNYK, 0)                                                                       \
    W("sonar", GROUP_SONAR, 0)                                                                     \
    W("sourcegraph", GROUP_SOURCEGRAPH, 0)                                                         \
    W("squarespace", GROUP_SQUARESPACE, 0)                                                         \
    W("sumo", GROUP_SUMOLOGIC, 0)                                                                  \
    W("sumologic", GROUP_SUMOLOGIC, 0)                                                             \
    W("telegram", GROUP_TELEGRAM, 0)                                                               \
    W("token", GROUP_GENERIC, WORD_ANY)                                                            \
    W("travis", GROUP_TRAVIS, 0)                                                                   \
    W("twitch", GROUP_TWITCH, 0)                                                                   \
    W("twitter", GROUP_TWITTER, 0)                                                                 \
    W("typeform", GROUP_TYPEFORM, 0)                                                               \
    W("wachtwoord", GROUP_PASSWORD, WORD_ANY)                                                      \
    W("webhook.office.com/webhookb2/", GROUP_TEAMSHOOK, WORD_DIRECT)                               \
    W("xray", GROUP_ARTIFACTORY, 0)                                                                \
    W("yandex", GROUP_YANDEX, 0)                                                                   \
    W("zendesk", GROUP_ZENDESK, 0)                                                                 \
    W("пароль", GROUP_PASSWORD, 0)                                                                 \
    W("密码", GROUP_PASSWORD, 0)

#endif
