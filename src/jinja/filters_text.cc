// Filters of texts.

#include <algorithm>
#include <array>
#include <cmath>

#include "jinja/filters.h"
#include "jinja/html.h"
#include "jinja/iteration.h"
#include "jinja/number_parse.h"
#include "jinja/operators.h"
#include "jinja/string_format.h"
#include "jinja/text_cases.h"
#include "jinja/text_wrap.h"
#include "jinja/vm.h"

namespace shaduf::jinja {
namespace {

using Values = std::vector<Value>;

// soft_str of markupsafe: what is a text stays, all else becomes one.
Result<std::string> soft_text(const Value& value) { return checked_text(value); }

template <std::string (*kMap)(std::string_view)>
Result<Value> filter_mapped(Vm&, const Arguments& arguments) {
    return Value(kMap(TRY(soft_text(TRY(take_filter("filter", arguments, {{"s"}}))[0]))));
}

std::string to_upper_text(std::string_view text) { return map_case(text, CaseMapping::upper); }
std::string to_lower_text(std::string_view text) { return map_case(text, CaseMapping::lower); }

// A capital letter behind each of "-", blanks and opening brackets.
std::string title_words(std::string_view text) {
    std::string out;
    bool is_first = true;
    each_code_point(text, [&](std::string_view bytes, char32_t code) {
        const bool splits = is_space(code) || code == '-' || code == '(' || code == '{' || code == '[' || code == '<';
        if (splits || (bytes.size() == 1 && code >= 0x80)) {
            out += bytes;
        } else {
            append_mapped(out, code, is_first ? CaseMapping::upper : CaseMapping::lower);
        }
        is_first = splits;
    });
    return out;
}

Result<Value> filter_center(Vm&, const Arguments& arguments) {
    const auto values = TRY(take_filter("do_center", arguments, {{"value"}, {"width", Value(80)}}));
    return Value(TRY(justify(TRY(soft_text(values[0])), TRY(filter_integer(values[1])), " ", Side::both)));
}

Result<Value> filter_trim(Vm&, const Arguments& arguments) {
    const auto values = TRY(take_filter("do_trim", arguments, {{"value"}, {"chars", Value::none()}}));
    return strip_text(Value(TRY(soft_text(values[0]))), values[1], Side::both);
}

Result<Value> filter_replace(Vm& vm, const Arguments& arguments) {
    const auto values = TRY(take_filter("do_replace", arguments, {{"s"}, {"old"}, {"new"}, {"count", Value::none()}}));
    const int64_t count = values[3].is_none() ? -1 : TRY(filter_integer(values[3]));
    std::string text = TRY(
        replace_text(TRY(checked_text(values[0])), TRY(checked_text(values[1])), TRY(checked_text(values[2])), count));
    TRY(vm.charge(text.size() / 256));
    return Value(std::move(text));
}

Result<Value> filter_string(Vm&, const Arguments& arguments) {
    const auto values = TRY(take_filter("soft_str", arguments, {{"s"}}));
    if (values[0].is_string()) return values[0];
    return Value(TRY(checked_text(values[0])));
}

Result<Value> filter_format(Vm&, const Arguments& arguments) {
    if (arguments.positional.empty()) return template_error("format() missing its value");
    const std::string format = TRY(soft_text(arguments.positional[0]));
    const auto given = arguments.positional.subspan(1);
    if (!given.empty() && !arguments.named.empty()) {
        return template_error("can't handle positional and keyword arguments at the same time");
    }
    if (arguments.named.empty()) return Value(TRY(format_percent(format, Value::tuple({given.begin(), given.end()}))));
    auto dict = make<Dict>();
    for (const auto& argument : arguments.named) dict->set(Value(argument.name), argument.value);
    return Value(TRY(format_percent(format, Value(dict))));
}

Result<std::string> text_only(const Value& value, std::string_view what) {
    if (value.is_string()) return value.string();
    if (value.is_undefined()) return undefined_error(value);
    return template_error(std::string(what) + ": expected a str, not " + std::string(value.type_name()));
}

Result<Value> filter_indent(Vm&, const Arguments& arguments) {
    const auto values = TRY(take_filter(
        "do_indent", arguments, {{"s"}, {"width", Value(4)}, {"first", Value(false)}, {"blank", Value(false)}}));
    const std::string text = TRY(text_only(values[0], "indent")) + "\n";
    const std::string indention =
        values[1].is_string() ? values[1].string() : TRY(justify("", TRY(filter_integer(values[1])), " ", Side::left));
    const bool indents_blank = values[3].truth();
    const auto lines = split_lines(text, LineEnds::dropped);
    std::string out = values[2].truth() ? indention : std::string();
    for (size_t i = 0; i < lines.size(); ++i) {
        if (i > 0) {
            out += '\n';
            if (indents_blank || !lines[i].empty()) out += indention;
        }
        out += lines[i];
    }
    return values[0].is_markup() ? Value::markup(std::move(out)) : Value(std::move(out));
}

Result<Value> filter_truncate(Vm&, const Arguments& arguments) {
    const auto values = TRY(take_filter("do_truncate", arguments,
                                        {{"s"},
                                         {"length", Value(255)},
                                         {"killwords", Value(false)},
                                         {"end", Value("...")},
                                         {"leeway", Value::none()}}));
    constexpr int64_t kLeeway = 5;
    TRY(checked_truth(values[0]));
    const int64_t length = TRY(filter_integer(values[1]));
    const std::string end = TRY(text_only(values[3], "truncate"));
    const int64_t leeway = values[4].is_none() ? kLeeway : TRY(filter_integer(values[4]));
    const auto end_size = static_cast<int64_t>(count_code_points(end));
    if (length < end_size) {
        return template_error("expected length >= " + std::to_string(end_size) + ", got " + std::to_string(length));
    }
    if (leeway < 0) return template_error("expected leeway >= 0, got " + std::to_string(leeway));
    const auto size = length_of(values[0]);
    if (size && static_cast<int64_t>(*size) <= length + leeway) return values[0];
    const std::string text = TRY(text_only(values[0], "truncate"));
    const auto cut = slice_code_points(text, 0, static_cast<size_t>(length - end_size));
    if (values[2].truth()) return Value(std::string(cut) + end);
    return Value(std::string(split_text_from_end(cut, " ", 1)[0]) + end);
}

Result<Value> filter_wordwrap(Vm&, const Arguments& arguments) {
    const auto values = TRY(take_filter("do_wordwrap", arguments,
                                        {{"s"},
                                         {"width", Value(79)},
                                         {"break_long_words", Value(true)},
                                         {"wrapstring", Value::none()},
                                         {"break_on_hyphens", Value(true)}}));
    WrapOptions options;
    options.width = TRY(filter_integer(values[1]));
    options.breaks_long_words = values[2].truth();
    options.breaks_on_hyphens = values[4].truth();
    if (options.width <= 0) return template_error("invalid width " + std::to_string(options.width) + " (must be > 0)");
    const std::string between = values[3].is_none() ? "\n" : TRY(text_only(values[3], "wordwrap"));
    const std::string text = TRY(text_only(values[0], "wordwrap"));
    std::string out;
    bool is_first = true;
    for (const auto line : split_lines(text, LineEnds::dropped)) {
        if (!std::exchange(is_first, false)) out += between;
        const auto wrapped = wrap_text(line, options);
        for (size_t i = 0; i < wrapped.size(); ++i) out += (i > 0 ? between : std::string()) + wrapped[i];
    }
    return Value(std::move(out));
}

Result<Value> filter_wordcount(Vm&, const Arguments& arguments) {
    const std::string text = TRY(soft_text(TRY(take_filter("do_wordcount", arguments, {{"s"}}))[0]));
    int64_t count = 0;
    bool is_within = false;
    each_code_point(text, [&](std::string_view, char32_t code) {
        const bool is_word = is_name_part(code);
        if (is_word && !is_within) ++count;
        is_within = is_word;
    });
    return Value(count);
}

Result<Value> filter_escape(Vm&, const Arguments& arguments) {
    const auto values = TRY(take_filter("escape", arguments, {{"s"}}));
    if (values[0].is_markup()) return values[0];
    return Value::markup(escape_html(TRY(checked_text(values[0]))));
}

Result<Value> filter_forceescape(Vm&, const Arguments& arguments) {
    return Value::markup(escape_html(TRY(checked_text(TRY(take_filter("forceescape", arguments, {{"value"}}))[0]))));
}

Result<Value> filter_safe(Vm&, const Arguments& arguments) {
    return Value::markup(TRY(checked_text(TRY(take_filter("safe", arguments, {{"value"}}))[0])));
}

Result<Value> filter_striptags(Vm&, const Arguments& arguments) {
    return Value(strip_tags(TRY(checked_text(TRY(take_filter("striptags", arguments, {{"value"}}))[0]))));
}

Result<Value> filter_filesizeformat(Vm&, const Arguments& arguments) {
    const auto values = TRY(take_filter("do_filesizeformat", arguments, {{"value"}, {"binary", Value(false)}}));
    const bool is_binary = values[1].truth();
    if (values[0].is_undefined()) return undefined_error(values[0]);
    const auto number = values[0].is_string()   ? parse_float(values[0].string())
                        : values[0].is_number() ? std::optional<double>(values[0].number())
                                                : std::nullopt;
    if (!number) return template_error("could not convert to float: " + values[0].repr());
    constexpr std::string_view kPrefixes = "kMGTPEZY";
    const double base = is_binary ? 1024 : 1000;
    const double bytes = *number;
    if (bytes == 1) return Value("1 Byte");
    if (bytes < base) return Value(std::to_string(static_cast<int64_t>(bytes)) + " Bytes");
    double unit = base;
    for (size_t i = 0;; ++i) {
        unit *= base;
        if (bytes >= unit && i + 1 < kPrefixes.size()) continue;
        const char prefix = is_binary && kPrefixes[i] == 'k' ? 'K' : kPrefixes[i];
        return Value(print_float(base * bytes / unit, 'f', 1, false) + " " + prefix + (is_binary ? "iB" : "B"));
    }
}

Result<Value> filter_urlize(Vm& vm, const Arguments& arguments) {
    const auto values = TRY(take_filter("do_urlize", arguments,
                                        {{"value"},
                                         {"trim_url_limit", Value::none()},
                                         {"nofollow", Value(false)},
                                         {"target", Value::none()},
                                         {"rel", Value::none()},
                                         {"extra_schemes", Value::none()}}));
    UrlizeOptions options;
    if (!values[1].is_none()) options.length_max = TRY(filter_integer(values[1]));
    options.relations = {"noopener"};
    if (values[2].truth()) options.relations.emplace_back("nofollow");
    if (values[4].is_string()) {
        for (const auto part : split_space(values[4].string(), -1)) options.relations.emplace_back(part);
    }
    if (values[3].is_string()) options.target = values[3].string();
    if (!values[5].is_none()) {
        for (const Value& scheme : TRY(to_items(vm, values[5]))) {
            if (!scheme.is_string() || !is_url_scheme(scheme.string())) {
                return template_error(scheme.repr() + " is not a valid URI scheme prefix.");
            }
            options.schemes.push_back(scheme.string());
        }
    }
    const std::string text = values[0].is_markup() ? values[0].string() : escape_html(TRY(checked_text(values[0])));
    return Value(urlize(text, options));
}

Result<Value> filter_urlencode(Vm& vm, const Arguments& arguments) {
    const Value value = TRY(take_filter("do_urlencode", arguments, {{"value"}}))[0];
    if (value.is_string() || !is_iterable(vm, value)) return Value(url_quote(TRY(checked_text(value)), UrlPart::path));
    std::string out;
    const auto add = [&](const Value& key, const Value& of) -> Result<void> {
        if (!out.empty()) out += '&';
        out +=
            url_quote(TRY(checked_text(key)), UrlPart::query) + "=" + url_quote(TRY(checked_text(of)), UrlPart::query);
        return {};
    };
    if (value.kind() == Kind::dict) {
        for (const auto& entry : value.dict().entries()) TRY(add(entry.key, entry.value));
        return Value(std::move(out));
    }
    for (const Value& item : TRY(to_items(vm, value))) {
        const auto pair = TRY(to_items(vm, item));
        if (pair.size() != 2) return template_error("urlencode: pairs of key and value are needed");
        TRY(add(pair[0], pair[1]));
    }
    return Value(std::move(out));
}

Result<Value> filter_xmlattr(Vm&, const Arguments& arguments) {
    const auto values = TRY(take_filter("do_xmlattr", arguments, {{"d"}, {"autospace", Value(true)}}));
    if (values[0].is_undefined()) return undefined_error(values[0]);
    if (values[0].kind() != Kind::dict) return template_error("xmlattr: a dict is needed");
    std::string out;
    for (const auto& entry : values[0].dict().entries()) {
        if (entry.value.is_none() || entry.value.is_undefined()) continue;
        const std::string key = TRY(text_only(entry.key, "xmlattr"));
        if (key.find_first_of(" \t\n\r\f\v/>=") != std::string::npos) {
            return template_error("Invalid character in attribute name: " + entry.key.repr());
        }
        if (!out.empty()) out += ' ';
        const std::string text = entry.value.is_markup() ? entry.value.string() : escape_html(entry.value.text());
        out += escape_html(key) + "=\"" + text + "\"";
    }
    if (values[1].truth() && !out.empty()) out.insert(0, " ");
    return Value(std::move(out));
}

constexpr std::array kFilters{
    Builtin{"capitalize", filter_mapped<capitalize>},
    Builtin{"center", filter_center},
    Builtin{"e", filter_escape},
    Builtin{"escape", filter_escape},
    Builtin{"filesizeformat", filter_filesizeformat},
    Builtin{"forceescape", filter_forceescape},
    Builtin{"format", filter_format},
    Builtin{"indent", filter_indent},
    Builtin{"lower", filter_mapped<to_lower_text>},
    Builtin{"replace", filter_replace},
    Builtin{"safe", filter_safe},
    Builtin{"string", filter_string},
    Builtin{"striptags", filter_striptags},
    Builtin{"title", filter_mapped<title_words>},
    Builtin{"trim", filter_trim},
    Builtin{"truncate", filter_truncate},
    Builtin{"upper", filter_mapped<to_upper_text>},
    Builtin{"urlencode", filter_urlencode},
    Builtin{"urlize", filter_urlize},
    Builtin{"wordcount", filter_wordcount},
    Builtin{"wordwrap", filter_wordwrap},
    Builtin{"xmlattr", filter_xmlattr},
};

}  // namespace

std::span<const Builtin> text_filters() { return kFilters; }

}  // namespace shaduf::jinja
