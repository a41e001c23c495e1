#pragma once

#include <array>
#include <string_view>

#include "config/options.h"

// The options of a connection, and of a stream that is read from it, besides those of decoder_fields.h.
namespace shaduf::kafka {

inline constexpr std::string_view kSecurities[] = {"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"};
inline constexpr std::string_view kMechanisms[] = {"plain", "scram_sha_256", "scram_sha_512", "oauthbearer"};
inline constexpr std::string_view kIsolations[] = {"read_committed", "read_uncommitted"};
inline constexpr std::string_view kOnLost[] = {"fail", "earliest"};

inline constexpr std::array<FieldSpec, 15> kConnectionFields{{
    {.name = "brokers",
     .type = FieldType::text_list,
     .help = "Addresses of some of the brokers, host:port; the others are found through them.",
     .required = true,
     .example = "[kafka-1.example.com:9092, kafka-2.example.com:9092]"},
    {.name = "security",
     .help = "Whether connections are encrypted (ssl) and whether the brokers ask who one is (sasl).",
     .default_value = "plaintext",
     .choices = kSecurities},
    {.name = "mechanism",
     .help = "How the brokers are told who one is, with a security of sasl.",
     .default_value = "plain",
     .choices = kMechanisms},
    {.name = "username", .help = "For plain and scram."},
    {.name = "password", .help = "For plain and scram.", .secret = true},
    {.name = "ca_file", .help = "File of the certificates that may sign the brokers'; the system's by default."},
    {.name = "certificate_file", .help = "File of the client's certificate, for mutual TLS."},
    {.name = "key_file", .help = "File of the client's private key, for mutual TLS."},
    {.name = "key_password", .help = "Password of that file.", .secret = true},
    {.name = "oauth_token_url",
     .help = "Of oauthbearer: where tokens are given for the client's credentials.",
     .example = "https://login.example.com/oauth2/token"},
    {.name = "oauth_client_id", .help = "Of oauthbearer."},
    {.name = "oauth_client_secret", .help = "Of oauthbearer.", .secret = true},
    {.name = "oauth_scope", .help = "Of oauthbearer: what the token is asked for."},
    {.name = "timeout",
     .type = FieldType::duration,
     .help = "How long brokers that do not answer are waited for, before a call fails and is tried again.",
     .default_value = "30s"},
    {.name = "properties",
     .type = FieldType::text_map,
     .help = "Further properties of librdkafka, by its own names; they go before all others.",
     .example = "{client.rack: eu-central-1a}"},
}};

inline constexpr std::array<FieldSpec, 10> kSourceFields{{
    {.name = "topics",
     .type = FieldType::text_list,
     .help = "Topics that are read, by name or as patterns that begin with ^; the stream's name by default.",
     .example = "[orders, \"^events\\\\..*\"]"},
    {.name = "start",
     .type = FieldType::json,
     .help =
         "Where partitions without a checkpoint begin: earliest, latest, a time, or a map of partitions to offsets; "
         "earliest by default.",
     .example = "2026-01-02T00:00:00Z"},
    {.name = "until",
     .help = "Where a bounded read ends: now (what stands there when it begins) or a time; of mode stream: none.",
     .example = "2026-01-03T00:00:00Z"},
    {.name = "group",
     .help = "The consumer group; shaduf-<pipeline>-<stream> by default. Of mode stream, its members share the "
             "partitions. Where reading goes on is not its matter.",
     .example = "shaduf-orders"},
    {.name = "isolation",
     .help = "Whether messages of transactions that were aborted, or are not ended yet, are read.",
     .default_value = "read_committed",
     .choices = kIsolations},
    {.name = "linger",
     .type = FieldType::duration,
     .help = "How long messages are gathered into a batch that is not full.",
     .default_value = "100ms"},
    {.name = "batch_size",
     .type = FieldType::bytes,
     .help = "Bytes of messages that make a batch full.",
     .default_value = "4MB"},
    {.name = "on_lost",
     .help = "What happens when the brokers have deleted messages before they were read: fail, or go on with the "
             "earliest that are there, with a warning.",
     .default_value = "fail",
     .choices = kOnLost},
    {.name = "columns_of",
     .help =
         "Of json, avro and protobuf: the stream, as PIPELINE/STREAM, whose table on these brokers has tell_columns; "
         "columns and types are taken from what it keeps there.",
     .example = "shop/orders"},
    {.name = "dead_letter_topic",
     .help =
         "Topic that messages in quarantine are written to as well, as they were, with the reason in their headers; "
         "it is created when it is not there.",
     .example = "orders_dead"},
}};

}  // namespace shaduf::kafka
