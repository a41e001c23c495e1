// str.format and its format specifications: https://docs.python.org/3/library/string.html#formatspec

#include "jinja/string_format.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "jinja/number_text.h"
#include "jinja/operators.h"
#include "jinja/text_cases.h"
#include "jinja/vm.h"

namespace shaduf::jinja {
namespace {

struct Spec {
    std::string fill = " ";
    char align = 0;
    char sign = '-';
    bool is_alternate = false;
    bool is_zero_filled = false;
    int64_t width = 0;
    char grouping = 0;
    int precision = -1;
    char type = 0;
};

bool is_align(char letter) { return letter == '<' || letter == '>' || letter == '=' || letter == '^'; }

Result<int64_t> take_number(std::string_view& text) {
    int64_t number = 0;
    size_t at = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
        number = number * 10 + (text[at] - '0');
        if (number > kWidthMax) return template_error("Too many decimal digits in format string");
    }
    text.remove_prefix(at);
    return number;
}

Result<Spec> parse_spec(std::string_view text) {
    Spec spec;
    const std::string_view whole = text;
    const size_t first = text.empty() ? 0 : code_point_size(text, 0);
    if (first > 0 && first < text.size() && is_align(text[first])) {
        spec.fill = std::string(text.substr(0, first));
        spec.align = text[first];
        text.remove_prefix(first + 1);
    } else if (!text.empty() && is_align(text[0])) {
        spec.align = text[0];
        text.remove_prefix(1);
    }
    const auto skip = [&](std::string_view letters) {
        if (text.empty() || letters.find(text[0]) == std::string_view::npos) return '\0';
        const char letter = text[0];
        text.remove_prefix(1);
        return letter;
    };
    if (const char sign = skip("+- "); sign != 0) spec.sign = sign;
    spec.is_alternate = skip("#") != 0;
    spec.is_zero_filled = skip("0") != 0;
    spec.width = TRY(take_number(text));
    spec.grouping = skip(",_");
    if (skip(".") != 0) {
        if (text.empty() || text[0] < '0' || text[0] > '9') return template_error("Format specifier missing precision");
        spec.precision = static_cast<int>(TRY(take_number(text)));
    }
    spec.type = skip("bcdeEfFgGnosxX%");
    if (!text.empty()) return template_error("Invalid format specifier '" + std::string(whole) + "'");
    if (spec.is_zero_filled && spec.align == 0) {
        spec.align = '=';
        spec.fill = "0";
    }
    return spec;
}

std::string group_digits(std::string_view digits, char separator, size_t every) {
    std::string out;
    for (size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % every == 0) out += separator;
        out += digits[i];
    }
    return out;
}

Result<std::string> pad(const Spec& spec, const std::string& sign, std::string body, char fallback) {
    const char align = spec.align == 0 ? fallback : spec.align;
    const auto size = static_cast<int64_t>(count_code_points(sign) + count_code_points(body));
    const int64_t missing = std::max<int64_t>(spec.width - size, 0);
    const int64_t left = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
    std::string before;
    std::string after;
    for (int64_t i = 0; i < left; ++i) before += spec.fill;
    for (int64_t i = left; i < missing; ++i) after += spec.fill;
    return align == '=' ? sign + before + body : before + sign + body + after;
}

std::string digits_of(uint64_t number, int base) {
    std::string text(64, '\0');
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number, base);
    text.resize(static_cast<size_t>(end.ptr - text.data()));
    return text;
}

std::string sign_of(const Spec& spec, bool is_negative) {
    return is_negative ? "-" : spec.sign == '-' ? "" : std::string(1, spec.sign);
}

// Zeroes on the left count as digits of groups: "{:08,}" of 1234 is "0,001,234".
std::string fill_groups(const Spec& spec, std::string digits, size_t used, size_t every) {
    if (spec.grouping == 0) return digits;
    std::string grouped = group_digits(digits, spec.grouping, every);
    if (spec.fill != "0" || spec.align != '=') return grouped;
    while (static_cast<int64_t>(grouped.size() + used) < spec.width) {
        digits.insert(0, "0");
        grouped = group_digits(digits, spec.grouping, every);
    }
    return grouped;
}

Result<std::string> format_integer(int64_t number, const Spec& spec) {
    if (spec.precision >= 0) return template_error("Precision not allowed in integer format specifier");
    if (spec.type == 'c') {
        std::string text;
        if (number < 0 || number > 0x10FFFF) return template_error("%c arg not in range(0x110000)");
        append_code_point(text, static_cast<char32_t>(number));
        return pad(spec, "", std::move(text), '<');
    }
    const int base = spec.type == 'b' ? 2 : spec.type == 'o' ? 8 : spec.type == 'x' || spec.type == 'X' ? 16 : 10;
    const bool is_negative = number < 0;
    std::string digits =
        digits_of(is_negative ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number), base);
    std::string sign = sign_of(spec, is_negative);
    if (spec.is_alternate && base != 10) sign += std::string("0") + spec.type;
    if (spec.grouping == ',' && base != 10) return template_error("Cannot specify ',' with this type");
    digits = fill_groups(spec, std::move(digits), sign.size(), base == 10 ? 3 : 4);
    if (spec.type == 'X') digits = map_case(digits, CaseMapping::upper);
    return pad(spec, sign, std::move(digits), '>');
}

Result<std::string> format_float(double number, const Spec& spec) {
    const bool is_negative = std::signbit(number) && !std::isnan(number);
    const double size = std::fabs(number);
    std::string body;
    if (spec.type == 0 && spec.precision < 0) {
        append_float(body, size);
    } else if (spec.type == '%') {
        body = print_float(size * 100, 'f', spec.precision < 0 ? 6 : spec.precision, spec.is_alternate) + "%";
    } else {
        const char type = spec.type == 0 || spec.type == 'n' ? 'g' : spec.type;
        body = print_float(size, type, spec.precision < 0 ? 6 : spec.precision, spec.is_alternate);
        const bool is_whole = body.find_first_not_of("0123456789") == std::string::npos;
        if (spec.type == 0 && is_whole) body += ".0";
    }
    const std::string sign = sign_of(spec, is_negative);
    const size_t digits = std::min(body.find_first_not_of("0123456789"), body.size());
    if (digits > 0) {
        const std::string rest = body.substr(digits);
        body = fill_groups(spec, body.substr(0, digits), sign.size() + rest.size(), 3) + rest;
    }
    return pad(spec, sign, std::move(body), '>');
}

Result<std::string> format_text(std::string_view text, const Spec& spec) {
    if (spec.align == '=' && !spec.is_zero_filled)
        return template_error("'=' alignment not allowed in string format specifier");
    if (spec.sign != '-') return template_error("Sign not allowed in string format specifier");
    if (spec.grouping != 0) return template_error("Cannot specify ',' with 's'.");
    if (spec.precision >= 0) text = slice_code_points(text, 0, static_cast<size_t>(spec.precision));
    Spec shown = spec;
    if (shown.align == '=') shown.align = '<';
    return pad(shown, "", std::string(text), '<');
}

}  // namespace

std::string print_float(double number, char type, int precision, bool is_alternate) {
    if (std::isnan(number)) return type >= 'A' && type <= 'Z' ? "NAN" : "nan";
    if (std::isinf(number)) return type >= 'A' && type <= 'Z' ? "INF" : "inf";
    const std::string format = std::string("%") + (is_alternate ? "#" : "") + ".*" + type;
    std::string text(400 + static_cast<size_t>(precision), '\0');
    const int size = std::snprintf(text.data(), text.size(), format.c_str(), precision, number);
    text.resize(static_cast<size_t>(size));
    return text;
}

Result<std::string> format_value(const Value& value, std::string_view spec_text) {
    if (spec_text.empty()) return checked_text(value);
    const Spec spec = TRY(parse_spec(spec_text));
    const auto wrong = [&] {
        return template_error(std::string("Unknown format code '") + spec.type + "' for object of type '" +
                              std::string(value.type_name()) + "'");
    };
    const bool is_for_float = spec.type != 0 && std::string_view("eEfFgGn%").find(spec.type) != std::string_view::npos;
    switch (value.kind()) {
        case Kind::boolean:
        case Kind::integer:
            if (value.kind() == Kind::boolean && spec.type == 0) {
                return format_integer(value.whole(), spec);
            }
            if (spec.type == 's') return wrong();
            if (is_for_float && spec.type != 'n') return format_float(value.number(), spec);
            return format_integer(value.whole(), spec);
        case Kind::floating:
            if (spec.type != 0 && !is_for_float) return wrong();
            return format_float(value.floating(), spec);
        case Kind::string:
            if (spec.type != 0 && spec.type != 's') return wrong();
            return format_text(value.string(), spec);
        case Kind::undefined: return undefined_error(value);
        default:
            return template_error("unsupported format string passed to " + std::string(value.type_name()) +
                                  ".__format__");
    }
}

namespace {

// "{name.attribute[0]!r:>10}" and its like.
class BraceFormatter {
public:
    BraceFormatter(Vm& vm, const Arguments& arguments) : vm_(vm), arguments_(arguments) {}

    Result<std::string> format(std::string_view text, int depth) {
        if (depth > 1) return template_error("Max string recursion exceeded");
        std::string out;
        for (size_t at = 0; at < text.size();) {
            const char byte = text[at];
            if (byte != '{' && byte != '}') {
                out += text[at++];
            } else if (at + 1 < text.size() && text[at + 1] == byte) {
                out += byte;
                at += 2;
            } else if (byte == '}') {
                return template_error("Single '}' encountered in format string");
            } else {
                const size_t end = TRY(field_end(text, at + 1));
                out += TRY(format_field(text.substr(at + 1, end - at - 1), depth));
                at = end + 1;
            }
        }
        return out;
    }

private:
    static Result<size_t> field_end(std::string_view text, size_t at) {
        int depth = 1;
        if (at >= text.size()) return template_error("Single '{' encountered in format string");
        for (; at < text.size(); ++at) {
            if (text[at] == '{') ++depth;
            if (text[at] == '}' && --depth == 0) return at;
        }
        return template_error("expected '}' before end of string");
    }

    Result<std::string> format_field(std::string_view field, int depth) {
        size_t end = 0;
        for (bool in_brackets = false; end < field.size(); ++end) {
            if (field[end] == '[') in_brackets = true;
            if (field[end] == ']') in_brackets = false;
            if (!in_brackets && (field[end] == '!' || field[end] == ':')) break;
        }
        Value value = TRY(find(field.substr(0, end)));
        std::string_view rest = field.substr(end);
        if (!rest.empty() && rest[0] == '!') {
            if (rest.size() < 2 || (rest.size() > 2 && rest[2] != ':')) {
                return template_error("expected ':' after conversion specifier");
            }
            if (rest[1] != 's' && rest[1] != 'r' && rest[1] != 'a') {
                return template_error("Unknown conversion specifier '" + std::string(1, rest[1]) + "'");
            }
            value = rest[1] == 's' ? Value(TRY(checked_text(value))) : Value(value.repr());
            rest.remove_prefix(2);
        }
        if (!rest.empty()) rest.remove_prefix(1);
        return format_value(value, TRY(format(rest, depth + 1)));
    }

    Result<Value> find(std::string_view path) {
        const size_t end = std::min(path.find_first_of(".["), path.size());
        Value value = TRY(find_argument(path.substr(0, end)));
        path.remove_prefix(end);
        while (!path.empty()) {
            const bool is_attribute = path[0] == '.';
            path.remove_prefix(1);
            const size_t stop = is_attribute ? std::min(path.find_first_of(".["), path.size()) : path.find(']');
            if (stop == std::string_view::npos) return template_error("Missing ']' in format string");
            const std::string_view name = path.substr(0, stop);
            if (name.empty()) return template_error("Empty attribute in format string");
            const bool is_number = is_all_decimal(name);
            value = is_attribute ? TRY(vm_.attribute(value, name))
                                 : TRY(vm_.item(value, is_number ? Value(TRY(number(name))) : Value(name)));
            if (value.is_undefined()) return undefined_error(value);
            path.remove_prefix(std::min(path.size(), stop + (is_attribute ? 0 : 1)));
        }
        return value;
    }

    static Result<int64_t> number(std::string_view digits) {
        std::string_view rest = digits;
        return take_number(rest);
    }

    Result<Value> find_argument(std::string_view name) {
        if (name.empty() || is_all_decimal(name)) {
            const bool is_counted = name.empty();
            if ((is_counted && uses_numbers_) || (!is_counted && next_ > 0)) {
                return template_error("cannot switch between automatic field numbering and manual field specification");
            }
            uses_numbers_ = uses_numbers_ || !is_counted;
            const size_t index = is_counted ? next_++ : static_cast<size_t>(TRY(number(name)));
            if (index >= arguments_.positional.size()) {
                return template_error("Replacement index " + std::to_string(index) +
                                      " out of range for positional args tuple");
            }
            return arguments_.positional[index];
        }
        if (const Value* found = arguments_.find(name); found != nullptr) return *found;
        return template_error("there is no argument named '" + std::string(name) + "' for the format string");
    }

    Vm& vm_;
    const Arguments& arguments_;
    size_t next_ = 0;
    bool uses_numbers_ = false;
};

}  // namespace

Result<std::string> format_braces(Vm& vm, std::string_view format, const Arguments& arguments) {
    return BraceFormatter(vm, arguments).format(format, 0);
}

}  // namespace shaduf::jinja
