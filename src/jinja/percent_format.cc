// '%s' % x: https://docs.python.org/3/library/stdtypes.html#printf-style-string-formatting

#include <algorithm>
#include <charconv>
#include <cmath>

#include "jinja/operators.h"
#include "jinja/string_format.h"
#include "jinja/text_cases.h"

namespace shaduf::jinja {
namespace {

struct Conversion {
    std::string_view key;
    bool has_key = false;
    bool is_left = false;
    bool is_zero_filled = false;
    bool is_alternate = false;
    char sign = 0;
    int64_t width = 0;
    int64_t precision = -1;
    char type = 0;
};

class PercentFormatter {
public:
    PercentFormatter(std::string_view format, const Value& arguments) : format_(format), arguments_(arguments) {}

    Result<std::string> run() {
        std::string out;
        while (at_ < format_.size()) {
            const size_t next = std::min(format_.find('%', at_), format_.size());
            out += format_.substr(at_, next - at_);
            at_ = next + 1;
            if (next == format_.size()) break;
            out += TRY(convert());
        }
        const bool is_tuple = arguments_.kind() == Kind::tuple;
        // What has items may go unused.
        const bool is_object = arguments_.kind() == Kind::object;
        const bool is_mapping = arguments_.kind() == Kind::dict || arguments_.kind() == Kind::list ||
                                arguments_.is_undefined() ||
                                (is_object && arguments_.object().shape() != Object::Shape::scalar);
        const size_t given = is_tuple ? arguments_.items().size() : 1;
        if (used_ < given && !used_key_ && !(is_mapping && used_ == 0)) {
            return template_error("not all arguments converted during string formatting");
        }
        return out;
    }

private:
    bool skip(char letter) {
        if (at_ >= format_.size() || format_[at_] != letter) return false;
        ++at_;
        return true;
    }

    Result<void> parse_key(Conversion& conversion) {
        if (!skip('(')) return {};
        const size_t begin = at_;
        for (int depth = 1; at_ < format_.size(); ++at_) {
            if (format_[at_] == '(') ++depth;
            if (format_[at_] == ')' && --depth == 0) break;
        }
        if (at_ >= format_.size()) return template_error("incomplete format key");
        conversion.key = format_.substr(begin, at_ - begin);
        conversion.has_key = true;
        ++at_;
        return {};
    }

    Result<int64_t> parse_number() {
        if (skip('*')) {
            const Value value = TRY(next_argument());
            if (value.kind() != Kind::integer) return template_error("* wants int");
            if (value.integer() > kWidthMax) return template_error("the width is too big");
            return value.integer();
        }
        int64_t number = 0;
        for (; at_ < format_.size() && format_[at_] >= '0' && format_[at_] <= '9'; ++at_) {
            number = number * 10 + (format_[at_] - '0');
            if (number > kWidthMax) return template_error("the width is too big");
        }
        return number;
    }

    Result<Conversion> parse() {
        Conversion conversion;
        TRY(parse_key(conversion));
        for (;;) {
            if (skip('-')) {
                conversion.is_left = true;
            } else if (skip('0')) {
                conversion.is_zero_filled = true;
            } else if (skip('#')) {
                conversion.is_alternate = true;
            } else if (skip('+')) {
                conversion.sign = '+';
            } else if (skip(' ')) {
                if (conversion.sign == 0) conversion.sign = ' ';
            } else {
                break;
            }
        }
        conversion.width = TRY(parse_number());
        if (conversion.width < 0) {
            conversion.is_left = true;
            conversion.width = -conversion.width;
        }
        if (skip('.')) conversion.precision = std::max<int64_t>(TRY(parse_number()), 0);
        while (skip('l') || skip('h') || skip('L')) {
        }
        if (at_ >= format_.size()) return template_error("incomplete format");
        conversion.type = format_[at_++];
        return conversion;
    }

    Result<Value> next_argument() {
        if (used_key_) return template_error("not enough arguments for format string");
        if (arguments_.kind() == Kind::tuple) {
            if (used_ >= arguments_.items().size()) return template_error("not enough arguments for format string");
            return arguments_.items()[used_++];
        }
        if (used_++ > 0) return template_error("not enough arguments for format string");
        return arguments_;
    }

    Result<Value> argument(const Conversion& conversion) {
        if (!conversion.has_key) return next_argument();
        used_key_ = true;
        if (arguments_.undefined_mode() == UndefinedMode::chainable) return arguments_;
        if (arguments_.kind() != Kind::dict) return template_error("format requires a mapping");
        const Value* found = arguments_.dict().find(conversion.key);
        if (found == nullptr)
            return template_error("there is no key '" + std::string(conversion.key) + "' for the format");
        return *found;
    }

    Result<std::string> convert() {
        const Conversion conversion = TRY(parse());
        if (conversion.type == '%') return std::string("%");
        const Value value = TRY(argument(conversion));
        switch (conversion.type) {
            case 's':
            case 'r':
            case 'a': {
                const std::string text = conversion.type == 's' ? TRY(checked_text(value)) : value.repr();
                std::string_view shown = text;
                if (conversion.precision >= 0) {
                    shown = slice_code_points(text, 0, static_cast<size_t>(conversion.precision));
                }
                return justify(shown, conversion.width, " ", conversion.is_left ? Side::right : Side::left);
            }
            case 'c': return convert_character(conversion, value);
            case 'd':
            case 'i':
            case 'u':
            case 'o':
            case 'x':
            case 'X': return convert_integer(conversion, value);
            case 'e':
            case 'E':
            case 'f':
            case 'F':
            case 'g':
            case 'G': return convert_float(conversion, value);
            default: return template_error("unsupported format character '" + std::string(1, conversion.type) + "'");
        }
    }

    static Result<std::string> convert_character(const Conversion& conversion, const Value& value) {
        const bool is_whole = value.kind() == Kind::integer || value.kind() == Kind::boolean;
        std::string text;
        if (value.is_string() && count_code_points(value.string()) == 1) {
            text = value.string();
        } else if (is_whole && value.whole() >= 0 && value.whole() <= 0x10FFFF) {
            append_code_point(text, static_cast<char32_t>(value.whole()));
        } else {
            return template_error("%c requires int or char");
        }
        return justify(text, conversion.width, " ", conversion.is_left ? Side::right : Side::left);
    }

    static Result<std::string> finish(const Conversion& conversion, const std::string& sign, std::string digits) {
        const auto size = static_cast<int64_t>(sign.size());
        if (conversion.is_zero_filled && !conversion.is_left) {
            digits = TRY(justify(digits, conversion.width - size, "0", Side::left));
        }
        return justify(sign + digits, conversion.width, " ", conversion.is_left ? Side::right : Side::left);
    }

    static std::string sign_of(const Conversion& conversion, bool is_negative) {
        return is_negative ? "-" : conversion.sign == 0 ? "" : std::string(1, conversion.sign);
    }

    static Result<std::string> convert_integer(const Conversion& conversion, const Value& value) {
        const bool is_decimal = conversion.type == 'd' || conversion.type == 'i' || conversion.type == 'u';
        if (value.is_undefined()) return undefined_error(value);
        if (!value.is_number() || (value.kind() == Kind::floating && !is_decimal)) {
            return template_error(std::string("%") + conversion.type + " format: a number is required, not " +
                                  std::string(value.type_name()));
        }
        int64_t number = 0;
        if (value.kind() == Kind::floating) {
            if (!(std::fabs(value.floating()) < 9.2e18)) return template_error("the number is beyond 64 bits");
            number = static_cast<int64_t>(value.floating());
        } else {
            number = value.whole();
        }
        const int base = is_decimal ? 10 : conversion.type == 'o' ? 8 : 16;
        std::string digits(64, '\0');
        const uint64_t size = number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
        digits.resize(
            static_cast<size_t>(std::to_chars(digits.data(), digits.data() + 64, size, base).ptr - digits.data()));
        if (static_cast<int64_t>(digits.size()) < conversion.precision) {
            digits = TRY(justify(digits, conversion.precision, "0", Side::left));
        }
        std::string sign = sign_of(conversion, number < 0);
        if (conversion.is_alternate && !is_decimal) sign += std::string("0") + conversion.type;
        if (conversion.type == 'X') digits = map_case(digits, CaseMapping::upper);
        return finish(conversion, sign, std::move(digits));
    }

    static Result<std::string> convert_float(const Conversion& conversion, const Value& value) {
        if (value.is_undefined()) return undefined_error(value);
        if (!value.is_number()) return template_error("must be real number, not " + std::string(value.type_name()));
        const double number = value.number();
        const int precision = conversion.precision < 0 ? 6 : static_cast<int>(conversion.precision);
        return finish(conversion, sign_of(conversion, std::signbit(number) && !std::isnan(number)),
                      print_float(std::fabs(number), conversion.type, precision, conversion.is_alternate));
    }

    std::string_view format_;
    const Value& arguments_;
    size_t at_ = 0;
    size_t used_ = 0;
    bool used_key_ = false;
};

}  // namespace

Result<std::string> format_percent(std::string_view format, const Value& arguments) {
    return PercentFormatter(format, arguments).run();
}

}  // namespace shaduf::jinja
