#include "io/postgres_error.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace shaduf {
namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

struct StateRule {
    std::string_view prefix;  // of the SQLSTATE: a class, or a whole code
    ErrorKind kind;
    bool permanent = false;
    std::string_view advice = {};
};

// The longest prefix comes first. Source: PostgreSQL 18, Appendix A (error codes).
constexpr std::array kStateRules{
    StateRule{"25006", ErrorKind::invalid_config, false, "the session only reads"},
    StateRule{"25P03", ErrorKind::unavailable, false, "raise idle_in_transaction_session_timeout for the role"},
    StateRule{"26000", ErrorKind::invalid_config, false,
              "a pooler that gives every transaction another session stands between: connect to the server itself, or "
              "let the pooler work by session"},
    StateRule{"28P01", ErrorKind::auth, false, "check the user and the password"},
    StateRule{"28000", ErrorKind::auth, false,
              "check the role, whether it may log in, and pg_hba.conf of the server (which may ask for TLS)"},
    StateRule{"3D000", ErrorKind::invalid_config, false, "check the name of the database"},
    StateRule{"40001", ErrorKind::unavailable},
    StateRule{"40P01", ErrorKind::unavailable},
    StateRule{"42501", ErrorKind::auth},
    StateRule{"42P01", ErrorKind::invalid_config, false, "check its name and its schema"},
    StateRule{"53300", ErrorKind::unavailable, false, "the server has no connection left for the role"},
    StateRule{"53100", ErrorKind::exhausted, false, "make room on the server's disk"},
    StateRule{"55P03", ErrorKind::unavailable, false,
              "another session holds a lock on it (pg_locks names it): let it end, or raise lock_timeout"},
    StateRule{"55006", ErrorKind::unavailable},
    StateRule{"57014", ErrorKind::exhausted, false,
              "raise statement_timeout for the role (ALTER ROLE ... SET statement_timeout), or read less at a time, "
              "unless somebody canceled it"},
    StateRule{"57P04", ErrorKind::invalid_config, false, "the database is gone"},
    StateRule{"57P05", ErrorKind::unavailable, false, "raise idle_session_timeout for the role"},
    StateRule{"57P", ErrorKind::unavailable, false, "the server was stopped, or somebody ended the session: run again"},
    StateRule{"P0001", ErrorKind::bad_data},
    StateRule{"XX", ErrorKind::unavailable, true, "see the server's log"},
    StateRule{"08", ErrorKind::unavailable},
    StateRule{"0A", ErrorKind::invalid_config},
    StateRule{"22", ErrorKind::bad_data},
    StateRule{"23", ErrorKind::bad_data},
    StateRule{"25", ErrorKind::internal},
    StateRule{"28", ErrorKind::auth},
    StateRule{"3F", ErrorKind::invalid_config},
    StateRule{"40", ErrorKind::unavailable},
    StateRule{"42", ErrorKind::invalid_config},
    StateRule{"53", ErrorKind::exhausted},
    StateRule{"54", ErrorKind::bad_data},
    StateRule{"55", ErrorKind::conflict},
    StateRule{"57", ErrorKind::unavailable},
    StateRule{"58", ErrorKind::unavailable},
};

struct TextRule {
    std::string_view sign;
    ErrorKind kind;
    std::string_view advice;
};

// What libpq itself says, always in English, and where no code tells more.
constexpr std::array kTextRules{
    TextRule{"does not support SSL, but SSL was required", ErrorKind::invalid_config,
             "turn TLS on in the server, or set `sslmode: prefer`"},
    TextRule{"certificate verify failed", ErrorKind::auth,
             "set `sslrootcert` to the certificate that signed the server's"},
    TextRule{"does not match host name", ErrorKind::auth, "connect by the host name in the server's certificate"},
    TextRule{"root certificate file", ErrorKind::invalid_config,
             "set `sslrootcert` to the certificate that signed the server's"},
    TextRule{"invalid response to SSL negotiation", ErrorKind::invalid_config,
             "no PostgreSQL answers there: check host and port"},
    TextRule{"expected authentication request", ErrorKind::invalid_config,
             "no PostgreSQL answers there: check host and port"},
    TextRule{"no password supplied", ErrorKind::auth, "set `password`"},
    TextRule{"invalid sslmode value", ErrorKind::invalid_config, "check `sslmode`"},
    TextRule{"invalid port number", ErrorKind::invalid_config, "check `port`"},
    TextRule{"SSL error", ErrorKind::unavailable, "check TLS of both sides"},
    TextRule{"could not translate host name", ErrorKind::unavailable, "check the host name"},
    TextRule{"Connection refused", ErrorKind::unavailable, "check host and port, and whether the server runs"},
    TextRule{"No such file or directory", ErrorKind::unavailable, "check host and port, and whether the server runs"},
};

std::string with_advice(const std::string& text, std::string_view advice) {
    return advice.empty() ? text : text + "; " + std::string(advice);
}

std::string one_line(std::string_view text) {
    std::string line;
    for (const char c : trim(text)) {
        if (c != '\n' && c != '\t') {
            line += c;
        } else if (!line.empty() && line.back() != ' ') {
            line += ' ';
        }
    }
    return make_valid_utf8(line);
}

bool is_sqlstate(std::string_view text) {
    return text.size() == 5 && std::all_of(text.begin(), text.end(),
                                           [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

// "FATAL:  28P01: password authentication failed": cuts the code, and what the server's source says behind the line.
std::string take_sqlstate(std::string_view message, std::string& sqlstate) {
    std::string text(message.substr(0, message.find("\nLOCATION:")));
    for (size_t at = text.find(":  "); at != std::string::npos; at = text.find(":  ", at + 1)) {
        const size_t code = at + 3;
        if (code + 6 > text.size() || text[code + 5] != ':') continue;
        if (!is_sqlstate(std::string_view(text).substr(code, 5))) continue;
        sqlstate = text.substr(code, 5);
        return text.erase(code, 7);
    }
    return text;
}

const StateRule* rule_of(std::string_view sqlstate) {
    const auto found = std::find_if(kStateRules.begin(), kStateRules.end(),
                                    [&](const StateRule& rule) { return sqlstate.starts_with(rule.prefix); });
    return found == kStateRules.end() ? nullptr : &*found;
}

Error by_state(std::string_view sqlstate, std::string text) {
    const StateRule* rule = rule_of(sqlstate);
    if (rule == nullptr) return Error(ErrorKind::unavailable, std::move(text)).permanent();
    Error error(rule->kind, with_advice(std::move(text), rule->advice));
    return rule->permanent ? error.permanent() : error;
}

}  // namespace

Error postgres_error(std::string_view sqlstate, std::string_view message, std::string_view detail) {
    std::string text = "PostgreSQL: " + one_line(message);
    if (!detail.empty()) text += " (" + one_line(detail) + ")";
    text += " [" + std::string(sqlstate) + "]";
    return by_state(sqlstate, std::move(text));
}

Error postgres_connect_error(std::string_view message, std::string& sqlstate) {
    sqlstate.clear();
    const std::string text = "PostgreSQL: " + one_line(take_sqlstate(message, sqlstate));
    if (!sqlstate.empty()) return by_state(sqlstate, text + " [" + sqlstate + "]");
    for (const auto& rule : kTextRules) {
        if (contains(text, rule.sign)) return Error(rule.kind, with_advice(text, rule.advice));
    }
    return Error(ErrorKind::unavailable, text);
}

}  // namespace shaduf
