// JSON as Python's json module reads and writes it.

#include <charconv>
#include <cmath>

#include "jinja/iteration.h"
#include "jinja/number_text.h"
#include "jinja/operators.h"
#include "jinja/unicode.h"
#include "jinja/vm.h"

namespace shaduf::jinja {
namespace {

constexpr int kNestedMax = 200;

class JsonWriter {
public:
    JsonWriter(Vm& vm, const JsonStyle& style) : vm_(vm), style_(style) {}

    Result<void> write(const Value& value, int depth) {
        if (depth > kNestedMax) return template_error("JSON is nested too deeply; does a list hold itself?");
        switch (value.kind()) {
            case Kind::none: out_ += "null"; return {};
            case Kind::boolean: out_ += value.boolean() ? "true" : "false"; return {};
            case Kind::integer: value.append_text(out_); return {};
            case Kind::floating: write_float(value.floating()); return {};
            case Kind::string: write_string(value.string()); return {};
            case Kind::list:
            case Kind::tuple: return write_items(value.items(), depth);
            case Kind::dict: return write_dict(value.dict(), depth);
            case Kind::object: return write_object(value, depth);
            default: return not_serializable(value);
        }
    }

    std::string release() { return std::move(out_); }

private:
    static Error not_serializable(const Value& value) {
        return template_error("Object of type " + std::string(value.type_name()) + " is not JSON serializable");
    }

    void write_float(double number) {
        if (std::isnan(number)) {
            out_ += "NaN";
        } else if (std::isinf(number)) {
            out_ += number < 0 ? "-Infinity" : "Infinity";
        } else {
            append_float(out_, number);
        }
    }

    void write_unit(char32_t unit) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        out_ += "\\u";
        for (int shift = 12; shift >= 0; shift -= 4) out_ += kDigits[(unit >> static_cast<unsigned>(shift)) & 0xFU];
    }

    void write_string(std::string_view text) {
        constexpr std::string_view kNamed = "\"\\\b\f\n\r\t";
        constexpr std::string_view kLetters = "\"\\bfnrt";
        out_ += '"';
        each_code_point(text, [&](std::string_view bytes, char32_t code) {
            const size_t named = code < 0x80 ? kNamed.find(static_cast<char>(code)) : std::string_view::npos;
            if (named != std::string_view::npos) {
                out_ += '\\';
                out_ += kLetters[named];
            } else if (code < 0x20) {
                write_unit(code);
            } else if (code < 0x80 ? true : !style_.ascii) {
                out_ += bytes;
            } else if (code < 0x10000) {
                write_unit(code);
            } else {
                write_unit(0xD800 + ((code - 0x10000) >> 10U));
                write_unit(0xDC00 + ((code - 0x10000) & 0x3FFU));
            }
        });
        out_ += '"';
    }

    void new_line(int depth) {
        if (style_.indent <= 0) return;
        out_ += '\n';
        out_.append(static_cast<size_t>(depth) * static_cast<size_t>(style_.indent), ' ');
    }
    void separate(bool is_first) {
        if (!is_first) out_ += style_.indent > 0 ? "," : ", ";
    }

    Result<void> write_items(const std::vector<Value>& items, int depth) {
        TRY(vm_.charge(items.size()));
        out_ += '[';
        for (size_t i = 0; i < items.size(); ++i) {
            separate(i == 0);
            new_line(depth + 1);
            TRY(write(items[i], depth + 1));
        }
        if (!items.empty()) new_line(depth);
        out_ += ']';
        return {};
    }

    Result<void> write_key(const Value& key) {
        std::string text;
        switch (key.kind()) {
            case Kind::string: text = key.string(); break;
            case Kind::none: text = "null"; break;
            case Kind::boolean: text = key.boolean() ? "true" : "false"; break;
            case Kind::integer:
            case Kind::floating: text = key.text(); break;
            default:
                return template_error("keys must be str, int, float, bool or None, not " +
                                      std::string(key.type_name()));
        }
        write_string(text);
        return {};
    }

    Result<void> write_dict(const Dict& dict, int depth) {
        std::vector<SortItem> entries;
        for (const auto& entry : dict.entries()) entries.push_back({entry.key, entry.value});
        TRY(vm_.charge(entries.size()));
        if (style_.sort_keys) TRY(sort_items(entries, false));
        out_ += '{';
        for (size_t i = 0; i < entries.size(); ++i) {
            separate(i == 0);
            new_line(depth + 1);
            TRY(write_key(entries[i].key));
            out_ += ": ";
            TRY(write(entries[i].value, depth + 1));
        }
        if (!entries.empty()) new_line(depth);
        out_ += '}';
        return {};
    }

    Result<void> write_object(const Value& value, int depth) {
        if (value.object().shape() == Object::Shape::scalar || value.object().type_name() == "range") {
            return not_serializable(value);
        }
        if (value.object().shape() == Object::Shape::sequence) return write_items(TRY(to_items(vm_, value)), depth);
        Dict dict;
        for (const Value& key : TRY(to_items(vm_, value))) {
            if (!key.hash()) return not_serializable(value);
            dict.set(key, TRY(vm_.item(value, key)));
        }
        return write_dict(dict, depth);
    }

    Vm& vm_;
    const JsonStyle& style_;
    std::string out_;
};

class JsonReader {
public:
    explicit JsonReader(std::string_view text) : text_(text) {}

    Result<Value> run() {
        Value value = TRY(read(0));
        skip_space();
        if (at_ != text_.size()) return fail("Extra data");
        return value;
    }

private:
    Error fail(std::string_view what) const {
        const std::string_view before = text_.substr(0, at_);
        const size_t newline = before.rfind('\n');
        const size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
        size_t line = 1;
        for (const char byte : before) line += byte == '\n' ? 1 : 0;
        return template_error("this is no JSON: " + std::string(what) + ": line " + std::to_string(line) + " column " +
                              std::to_string(count_code_points(before.substr(begin)) + 1));
    }

    void skip_space() {
        while (at_ < text_.size() && std::string_view(" \t\n\r").find(text_[at_]) != std::string_view::npos) ++at_;
    }
    bool skip(std::string_view word) {
        if (text_.substr(at_, word.size()) != word) return false;
        at_ += word.size();
        return true;
    }

    Result<Value> read(int depth) {
        if (depth > kNestedMax) return fail("nested too deeply");
        skip_space();
        if (skip("null")) return Value::none();
        if (skip("true")) return Value(true);
        if (skip("false")) return Value(false);
        if (skip("NaN")) return Value(std::nan(""));
        if (skip("Infinity")) return Value(HUGE_VAL);
        if (skip("-Infinity")) return Value(-HUGE_VAL);
        if (skip("\"")) return Value(TRY(read_string()));
        if (skip("[")) return read_list(depth);
        if (skip("{")) return read_dict(depth);
        return read_number();
    }

    Result<Value> read_list(int depth) {
        std::vector<Value> items;
        skip_space();
        if (skip("]")) return Value::list({});
        for (;;) {
            items.push_back(TRY(read(depth + 1)));
            skip_space();
            if (skip("]")) return Value::list(std::move(items));
            if (!skip(",")) return fail("Expecting ',' delimiter");
        }
    }

    Result<Value> read_dict(int depth) {
        auto dict = make<Dict>();
        skip_space();
        if (skip("}")) return Value(dict);
        for (;;) {
            skip_space();
            if (!skip("\"")) return fail("Expecting property name enclosed in double quotes");
            Value key(TRY(read_string()));
            skip_space();
            if (!skip(":")) return fail("Expecting ':' delimiter");
            dict->set(std::move(key), TRY(read(depth + 1)));
            skip_space();
            if (skip("}")) return Value(dict);
            if (!skip(",")) return fail("Expecting ',' delimiter");
        }
    }

    Result<char32_t> read_unit() {
        uint32_t unit = 0;
        const std::string_view digits = text_.substr(at_, 4);
        const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
        if (digits.size() != 4 || status != std::errc() || end != digits.data() + 4)
            return fail("Invalid \\uXXXX escape");
        at_ += 4;
        return static_cast<char32_t>(unit);
    }

    Result<void> read_escape(std::string& out) {
        constexpr std::string_view kLetters = "\"\\/bfnrt";
        constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
        if (at_ >= text_.size()) return fail("Unterminated string");
        const char letter = text_[at_++];
        if (const size_t known = kLetters.find(letter); known != std::string_view::npos) {
            out += kMeanings[known];
            return {};
        }
        if (letter != 'u') return fail("Invalid \\escape");
        char32_t code = TRY(read_unit());
        if (code >= 0xD800 && code < 0xDC00 && skip("\\u")) {
            const char32_t low = TRY(read_unit());
            if (low < 0xDC00 || low > 0xDFFF) return fail("Invalid \\uXXXX escape");
            code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
        }
        append_code_point(out, code);
        return {};
    }

    Result<std::string> read_string() {
        std::string out;
        for (;;) {
            if (at_ >= text_.size()) return fail("Unterminated string");
            const char byte = text_[at_++];
            if (byte == '"') return out;
            if (static_cast<unsigned char>(byte) < 0x20U) return fail("Invalid control character");
            if (byte == '\\') {
                TRY(read_escape(out));
            } else {
                out += byte;
            }
        }
    }

    Result<Value> read_number() {
        const size_t begin = at_;
        skip("-");
        const auto digits = [&] {
            const size_t first = at_;
            while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
            return at_ - first;
        };
        const size_t whole = digits();
        const bool has_leading_zero = whole > 1 && text_[at_ - whole] == '0';
        if (whole == 0 || has_leading_zero) return fail("Expecting value");
        bool is_float = false;
        if (skip(".")) {
            is_float = true;
            if (digits() == 0) return fail("Expecting value");
        }
        if (skip("e") || skip("E")) {
            is_float = true;
            if (!skip("+")) skip("-");
            if (digits() == 0) return fail("Expecting value");
        }
        const std::string_view number = text_.substr(begin, at_ - begin);
        if (is_float) return Value(std::strtod(std::string(number).c_str(), nullptr));
        int64_t value = 0;
        const auto [end, status] = std::from_chars(number.data(), number.data() + number.size(), value);
        if (status != std::errc()) return fail("a number is beyond 64 bits");
        return Value(value);
    }

    std::string_view text_;
    size_t at_ = 0;
};

}  // namespace

Result<std::string> to_json(Vm& vm, const Value& value, const JsonStyle& style) {
    JsonWriter writer(vm, style);
    TRY(writer.write(value, 0));
    return writer.release();
}

Result<Value> from_json(std::string_view text) { return JsonReader(text).run(); }

}  // namespace shaduf::jinja
