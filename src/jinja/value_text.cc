// How values print: Python's str() and repr().

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "jinja/number_text.h"
#include "jinja/object.h"
#include "jinja/unicode.h"
#include "jinja/value.h"

namespace shaduf::jinja {
namespace {

constexpr int kNestedMax = 100;
constexpr size_t kTextBytesMax = 64U << 20U;
constinit thread_local int printing = 0;  // levels, of values within objects too

void append_hex(std::string& out, char32_t code, int digits) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (int i = digits - 1; i >= 0; --i) out += kDigits[(code >> (4U * static_cast<unsigned>(i))) & 0xFU];
}

void append_escaped(std::string& out, std::string_view bytes, char32_t code, char quote) {
    if (code == '\n') {
        out += "\\n";
    } else if (code == '\r') {
        out += "\\r";
    } else if (code == '\t') {
        out += "\\t";
    } else if (code == '\\' || code == static_cast<char32_t>(quote)) {
        out += '\\';
        out += static_cast<char>(code);
    } else if (is_printable(code) && (code < 0x80 || bytes.size() > 1)) {
        out += bytes;
    } else {
        out += code < 0x100 ? "\\x" : code < 0x10000 ? "\\u" : "\\U";
        append_hex(out, code, code < 0x100 ? 2 : code < 0x10000 ? 4 : 8);
    }
}

// Lists may hold themselves: what is being printed already is "[...]".
class Printer {
public:
    explicit Printer(std::string& out) : out_(out) {}

    void print(const Value& value) {
        if (printing > kNestedMax || out_.size() > kTextBytesMax) {
            out_ += "...";
            return;
        }
        const bool is_open = std::any_of(open_.begin(), open_.end(), [&](const Value* other) {
            return other->kind() == value.kind() && other->is_same(value);
        });
        if (is_open && value.kind() >= Kind::list) {
            out_ += value.kind() == Kind::list ? "[...]" : value.kind() == Kind::tuple ? "(...)" : "{...}";
            return;
        }
        open_.push_back(&value);
        ++printing;
        switch (value.kind()) {
            case Kind::undefined: out_ += "Undefined"; break;
            case Kind::string: print_string(value); break;
            case Kind::list: print_items(value.items(), '[', ']'); break;
            case Kind::tuple: print_items(value.items(), '(', ')'); break;
            case Kind::dict: print_dict(value.dict()); break;
            case Kind::set: print_set(value.set()); break;
            case Kind::object: out_ += value.object().repr(); break;
            default: value.append_text(out_); break;
        }
        --printing;
        open_.pop_back();
    }

private:
    void print_string(const Value& value) {
        if (value.is_markup()) out_ += "Markup(";
        append_string_repr(out_, value.string());
        if (value.is_markup()) out_ += ")";
    }

    void print_items(const std::vector<Value>& items, char open, char close) {
        out_ += open;
        for (size_t i = 0; i < items.size(); ++i) {
            if (i > 0) out_ += ", ";
            print(items[i]);
        }
        if (open == '(' && items.size() == 1) out_ += ',';
        out_ += close;
    }

    void print_dict(const Dict& dict) {
        out_ += '{';
        for (size_t i = 0; i < dict.entries().size(); ++i) {
            if (i > 0) out_ += ", ";
            print(dict.entries()[i].key);
            out_ += ": ";
            print(dict.entries()[i].value);
        }
        out_ += '}';
    }

    void print_set(const Set& set) {
        if (set.members.size() == 0) {
            out_ += "set()";
            return;
        }
        out_ += '{';
        for (size_t i = 0; i < set.members.size(); ++i) {
            if (i > 0) out_ += ", ";
            print(set.members.entries()[i].key);
        }
        out_ += '}';
    }

    std::string& out_;
    std::vector<const Value*> open_;
};

}  // namespace

void append_string_repr(std::string& out, std::string_view text) {
    const bool has_single = text.find('\'') != std::string_view::npos;
    const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
    out += quote;
    each_code_point(text, [&](std::string_view bytes, char32_t code) { append_escaped(out, bytes, code, quote); });
    out += quote;
}

void append_float(std::string& out, double number) {
    if (std::isnan(number)) {
        out += "nan";
        return;
    }
    if (std::isinf(number)) {
        out += number < 0 ? "-inf" : "inf";
        return;
    }
    constexpr double kFixedMax = 1e16;
    constexpr double kFixedMin = 1e-4;
    const double size = std::fabs(number);
    std::array<char, 64> text{};
    if (size != 0 && (size >= kFixedMax || size < kFixedMin)) {
        const auto end = std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::scientific);
        out.append(text.data(), end.ptr);
        return;
    }
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    const std::string_view digits(text.data(), static_cast<size_t>(end.ptr - text.data()));
    out += digits;
    if (digits.find('.') == std::string_view::npos) out += ".0";
}

void Value::append_text(std::string& out) const {
    switch (kind_) {
        case Kind::undefined: break;
        case Kind::none: out += "None"; break;
        case Kind::boolean: out += boolean_ ? "True" : "False"; break;
        case Kind::integer: {
            std::array<char, 24> text{};
            out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), integer_).ptr);
            break;
        }
        case Kind::floating: append_float(out, floating_); break;
        case Kind::string: out += string(); break;
        case Kind::object: out += object().text(); break;
        default: append_repr(out); break;
    }
}

void Value::append_repr(std::string& out) const { Printer(out).print(*this); }

std::string Value::text() const {
    if (is_string()) return string();
    std::string out;
    append_text(out);
    return out;
}

std::string Value::repr() const {
    std::string out;
    append_repr(out);
    return out;
}

}  // namespace shaduf::jinja
