// Methods of str.

#include <algorithm>
#include <array>

#include "jinja/iteration.h"
#include "jinja/methods.h"
#include "jinja/operators.h"
#include "jinja/string_format.h"
#include "jinja/text_cases.h"
#include "jinja/unicode.h"
#include "jinja/vm.h"

namespace shaduf::jinja {
namespace {

using Values = std::vector<Value>;

Result<Values> take(const Arguments& arguments, std::initializer_list<Parameter> parameters) {
    return bind_arguments("method", std::span<const Parameter>(parameters.begin(), parameters.size()), arguments);
}

Result<std::string_view> text_of(const Value& value) {
    if (value.is_string()) return std::string_view(value.string());
    if (value.is_undefined()) return undefined_error(value);
    return template_error("expected a str, not " + std::string(value.type_name()));
}

Result<int64_t> number_of(const Value& value) {
    if (value.kind() == Kind::integer || value.kind() == Kind::boolean) return value.whole();
    if (value.is_undefined()) return undefined_error(value);
    return template_error("'" + std::string(value.type_name()) + "' object cannot be interpreted as an integer");
}

Value as_list(const std::vector<std::string_view>& parts) {
    Values items;
    items.reserve(parts.size());
    for (const auto part : parts) items.emplace_back(part);
    return Value::list(std::move(items));
}

template <CaseMapping kMapping>
Result<Value> text_case(Vm&, const Value& self, const Arguments& arguments) {
    TRY(take(arguments, {}));
    return Value(map_case(self.string(), kMapping));
}

template <std::string (*kMap)(std::string_view)>
Result<Value> text_mapped(Vm&, const Value& self, const Arguments& arguments) {
    TRY(take(arguments, {}));
    return Value(kMap(self.string()));
}

template <bool (*kCheck)(std::string_view)>
Result<Value> text_check(Vm&, const Value& self, const Arguments& arguments) {
    TRY(take(arguments, {}));
    return Value(kCheck(self.string()));
}

template <Side kSide>
Result<Value> text_strip(Vm&, const Value& self, const Arguments& arguments) {
    const auto values = TRY(take(arguments, {{"chars", Value::none()}}));
    return TRY(strip_text(self, values[0], kSide));
}

template <Side kSide>
Result<Value> text_justify(Vm&, const Value& self, const Arguments& arguments) {
    const auto values = TRY(take(arguments, {{"width"}, {"fillchar", Value(" ")}}));
    return Value(TRY(justify(self.string(), TRY(number_of(values[0])), TRY(text_of(values[1])), kSide)));
}

Result<Value> text_zfill(Vm&, const Value& self, const Arguments& arguments) {
    const int64_t width = TRY(number_of(TRY(take(arguments, {{"width"}}))[0]));
    const std::string& text = self.string();
    const bool has_sign = !text.empty() && (text[0] == '-' || text[0] == '+');
    const std::string filled = TRY(justify(text.substr(has_sign ? 1 : 0), width - (has_sign ? 1 : 0), "0", Side::left));
    return Value(has_sign ? text[0] + filled : filled);
}

Result<Value> text_split(Vm&, const Value& self, const Arguments& arguments) {
    const auto values = TRY(take(arguments, {{"sep", Value::none()}, {"maxsplit", Value(-1)}}));
    const int64_t count = TRY(number_of(values[1]));
    if (values[0].is_none()) return as_list(split_space(self.string(), count));
    const auto separator = TRY(text_of(values[0]));
    if (separator.empty()) return template_error("empty separator");
    return as_list(split_text(self.string(), separator, count));
}

Result<Value> text_rsplit(Vm&, const Value& self, const Arguments& arguments) {
    const auto values = TRY(take(arguments, {{"sep", Value::none()}, {"maxsplit", Value(-1)}}));
    const int64_t count = TRY(number_of(values[1]));
    if (values[0].is_none()) return as_list(split_space_from_end(self.string(), count));
    const auto separator = TRY(text_of(values[0]));
    if (separator.empty()) return template_error("empty separator");
    return as_list(split_text_from_end(self.string(), separator, count));
}

Result<Value> text_splitlines(Vm&, const Value& self, const Arguments& arguments) {
    const auto values = TRY(take(arguments, {{"keepends", Value(false)}}));
    return as_list(split_lines(self.string(), TRY(number_of(values[0])) != 0 ? LineEnds::kept : LineEnds::dropped));
}

Result<Value> text_join(Vm& vm, const Value& self, const Arguments& arguments) {
    const auto items = TRY(to_items(vm, TRY(take(arguments, {{"iterable"}}))[0]));
    std::string text;
    if (self.is_markup()) {
        for (size_t i = 0; i < items.size(); ++i) {
            if (i > 0) text += self.string();
            text += items[i].is_markup() ? items[i].string() : escape_html(TRY(checked_text(items[i])));
        }
        return Value::markup(std::move(text));
    }
    for (size_t i = 0; i < items.size(); ++i) {
        if (!items[i].is_string()) {
            return template_error("sequence item " + std::to_string(i) + ": expected str instance, " +
                                  std::string(items[i].type_name()) + " found");
        }
        if (i > 0) text += self.string();
        text += items[i].string();
    }
    TRY(vm.charge(text.size() / 256));
    return Value(std::move(text));
}

Result<Value> text_replace(Vm& vm, const Value& self, const Arguments& arguments) {
    const auto values = TRY(take(arguments, {{"old"}, {"new"}, {"count", Value(-1)}}));
    std::string text =
        TRY(replace_text(self.string(), TRY(text_of(values[0])), TRY(text_of(values[1])), TRY(number_of(values[2]))));
    TRY(vm.charge(text.size() / 256));
    return Value(std::move(text));
}

// The part of a text between two indexes, as Python's slices see them; nullopt: begins behind the end.
Result<std::optional<std::string_view>> part_of(std::string_view text, const Value& begin, const Value& end) {
    const auto size = static_cast<int64_t>(count_code_points(text));
    int64_t first = begin.is_none() ? 0 : TRY(number_of(begin));
    int64_t last = end.is_none() ? size : TRY(number_of(end));
    if (first < 0) first = std::max<int64_t>(first + size, 0);
    if (last < 0) last = std::max<int64_t>(last + size, 0);
    last = std::min(last, size);
    if (first > last) return std::optional<std::string_view>();
    const size_t from = byte_of(text, static_cast<size_t>(first));
    return std::optional<std::string_view>(
        text.substr(from, byte_of(text.substr(from), static_cast<size_t>(last - first))));
}

enum class End : uint8_t { first, last };

template <End kEnd>
Result<Value> text_matches(Vm&, const Value& self, const Arguments& arguments) {
    const auto values = TRY(take(arguments, {{"prefix"}, {"start", Value::none()}, {"end", Value::none()}}));
    const auto part = TRY(part_of(self.string(), values[1], values[2]));
    const auto matches = [&](const Value& wanted) -> Result<bool> {
        const auto text = TRY(text_of(wanted));
        return part && (kEnd == End::first ? part->starts_with(text) : part->ends_with(text));
    };
    if (values[0].kind() != Kind::tuple) return Value(TRY(matches(values[0])));
    for (const Value& wanted : values[0].items()) {
        if (TRY(matches(wanted))) return Value(true);
    }
    return Value(false);
}

template <End kEnd>
Result<int64_t> find_in(const Value& self, const Arguments& arguments) {
    const auto values = TRY(take(arguments, {{"sub"}, {"start", Value::none()}, {"end", Value::none()}}));
    const auto wanted = TRY(text_of(values[0]));
    const auto part = TRY(part_of(self.string(), values[1], values[2]));
    if (!part) return -1;
    const size_t found = kEnd == End::first ? part->find(wanted) : part->rfind(wanted);
    if (found == std::string_view::npos) return -1;
    const auto before = static_cast<size_t>(part->data() - self.string().data()) + found;
    return static_cast<int64_t>(count_code_points(std::string_view(self.string()).substr(0, before)));
}

template <End kEnd>
Result<Value> text_find(Vm&, const Value& self, const Arguments& arguments) {
    return Value(TRY(find_in<kEnd>(self, arguments)));
}

template <End kEnd>
Result<Value> text_index(Vm&, const Value& self, const Arguments& arguments) {
    const int64_t found = TRY(find_in<kEnd>(self, arguments));
    if (found < 0) return template_error("substring not found");
    return Value(found);
}

Result<Value> text_count(Vm&, const Value& self, const Arguments& arguments) {
    const auto values = TRY(take(arguments, {{"sub"}, {"start", Value::none()}, {"end", Value::none()}}));
    const auto wanted = TRY(text_of(values[0]));
    const auto part = TRY(part_of(self.string(), values[1], values[2]));
    if (!part) return Value(0);
    if (wanted.empty()) return Value(static_cast<int64_t>(count_code_points(*part)) + 1);
    int64_t count = 0;
    for (size_t at = part->find(wanted); at != std::string_view::npos; at = part->find(wanted, at + wanted.size())) {
        ++count;
    }
    return Value(count);
}

template <End kEnd>
Result<Value> text_partition(Vm&, const Value& self, const Arguments& arguments) {
    const auto values = TRY(take(arguments, {{"sep"}}));
    const auto separator = TRY(text_of(values[0]));
    if (separator.empty()) return template_error("empty separator");
    const std::string_view text = self.string();
    const size_t at = kEnd == End::first ? text.find(separator) : text.rfind(separator);
    if (at == std::string_view::npos) {
        return kEnd == End::first ? Value::tuple({Value(text), Value(""), Value("")})
                                  : Value::tuple({Value(""), Value(""), Value(text)});
    }
    return Value::tuple({Value(text.substr(0, at)), values[0], Value(text.substr(at + separator.size()))});
}

template <End kEnd>
Result<Value> text_remove(Vm&, const Value& self, const Arguments& arguments) {
    const auto values = TRY(take(arguments, {{"fix"}}));
    const auto fix = TRY(text_of(values[0]));
    std::string_view text = self.string();
    if (kEnd == End::first && text.starts_with(fix)) text.remove_prefix(fix.size());
    if (kEnd == End::last && text.ends_with(fix)) text.remove_suffix(fix.size());
    return Value(text);
}

Result<Value> text_expandtabs(Vm&, const Value& self, const Arguments& arguments) {
    const int64_t size = TRY(number_of(TRY(take(arguments, {{"tabsize", Value(8)}}))[0]));
    if (size > kWidthMax) return template_error("the width is too big: " + std::to_string(size));
    std::string out;
    int64_t column = 0;
    each_code_point(self.string(), [&](std::string_view bytes, char32_t code) {
        if (code == '\t') {
            const int64_t missing = size > 0 ? size - column % size : 0;
            out.append(static_cast<size_t>(missing), ' ');
            column += missing;
            return;
        }
        out += bytes;
        column = code == '\n' || code == '\r' ? 0 : column + 1;
    });
    return Value(std::move(out));
}

Result<Value> text_format(Vm& vm, const Value& self, const Arguments& arguments) {
    return Value(TRY(format_braces(vm, self.string(), arguments)));
}

constexpr std::array kMethods{
    Method{"capitalize", text_mapped<capitalize>},
    Method{"casefold", text_mapped<fold_case>},
    Method{"center", text_justify<Side::both>},
    Method{"count", text_count},
    Method{"endswith", text_matches<End::last>},
    Method{"expandtabs", text_expandtabs},
    Method{"find", text_find<End::first>},
    Method{"format", text_format},
    Method{"index", text_index<End::first>},
    Method{"isalnum", text_check<is_all_alnum>},
    Method{"isalpha", text_check<is_all_alpha>},
    Method{"isascii", text_check<is_ascii>},
    Method{"isdecimal", text_check<is_all_decimal>},
    Method{"isdigit", text_check<is_all_digit>},
    Method{"isidentifier", text_check<is_identifier>},
    Method{"islower", text_check<is_lower_text>},
    Method{"isnumeric", text_check<is_all_digit>},
    Method{"isprintable", text_check<is_all_printable>},
    Method{"isspace", text_check<is_all_space>},
    Method{"istitle", text_check<is_title_text>},
    Method{"isupper", text_check<is_upper_text>},
    Method{"join", text_join},
    Method{"ljust", text_justify<Side::right>},
    Method{"lower", text_case<CaseMapping::lower>},
    Method{"lstrip", text_strip<Side::left>},
    Method{"partition", text_partition<End::first>},
    Method{"removeprefix", text_remove<End::first>},
    Method{"removesuffix", text_remove<End::last>},
    Method{"replace", text_replace},
    Method{"rfind", text_find<End::last>},
    Method{"rindex", text_index<End::last>},
    Method{"rjust", text_justify<Side::left>},
    Method{"rpartition", text_partition<End::last>},
    Method{"rsplit", text_rsplit},
    Method{"rstrip", text_strip<Side::right>},
    Method{"split", text_split},
    Method{"splitlines", text_splitlines},
    Method{"startswith", text_matches<End::first>},
    Method{"strip", text_strip<Side::both>},
    Method{"swapcase", text_mapped<swap_case>},
    Method{"title", text_mapped<title_case>},
    Method{"upper", text_case<CaseMapping::upper>},
    Method{"zfill", text_zfill},
};

}  // namespace

std::span<const Method> string_methods() { return kMethods; }

}  // namespace shaduf::jinja
