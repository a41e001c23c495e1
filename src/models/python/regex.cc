#include "models/python/regex.h"

#include <re2/re2.h>

#include <array>
#include <memory>

#include "jinja/vm.h"
#include "models/host_object.h"

namespace shaduf::models {
namespace {

using jinja::Arguments;
using jinja::Dict;
using jinja::Parameter;
using jinja::Ref;
using jinja::Value;
using jinja::Vm;

enum Flag : int64_t { ignore_case = 2, multi_line = 8, dot_all = 16 };

using Pattern = std::shared_ptr<const RE2>;
using Groups = std::vector<re2::StringPiece>;

Result<Pattern> compile(const std::string& text, int64_t flags) {
    RE2::Options options;
    options.set_log_errors(false);
    std::string pattern = text;
    if ((flags & multi_line) != 0) pattern = "(?m)" + pattern;
    if ((flags & dot_all) != 0) pattern = "(?s)" + pattern;
    if ((flags & ignore_case) != 0) options.set_case_sensitive(false);
    auto made = std::make_shared<const RE2>(pattern, options);
    if (made->ok()) return Pattern(std::move(made));
    return Error(ErrorKind::invalid_config, "not a pattern that can be used: " + text + "; " + made->error() +
                                                " (look-around and back-references are not there)");
}

bool find(const RE2& pattern, const std::string& text, size_t from, RE2::Anchor anchor, Groups& groups) {
    groups.assign(static_cast<size_t>(pattern.NumberOfCapturingGroups()) + 1, {});
    return pattern.Match(text, from, text.size(), anchor, groups.data(), static_cast<int>(groups.size()));
}

class MatchObject final : public HostObject<MatchObject> {
public:
    MatchObject(Pattern pattern, std::shared_ptr<const std::string> text, Groups groups)
        : pattern_(std::move(pattern)), text_(std::move(text)), groups_(std::move(groups)) {}
    std::string_view type_name() const override { return "Match"; }
    Result<std::optional<Value>> item(Vm&, const Value& key) const override { return TRY(group(key)); }
    static std::span<const Method> methods() {
        static constexpr std::array<Method, 6> kMethods = {{{"group", &MatchObject::call_group},
                                                            {"groups", &MatchObject::call_groups},
                                                            {"groupdict", &MatchObject::call_groupdict},
                                                            {"start", &MatchObject::call_start},
                                                            {"end", &MatchObject::call_end},
                                                            {"span", &MatchObject::call_span}}};
        return kMethods;
    }

private:
    Value value(size_t index) const {
        const auto& piece = groups_[index];
        return piece.data() == nullptr ? Value::none() : Value(std::string(piece.data(), piece.size()));
    }
    Result<size_t> index(const Value& key) const {
        if (key.kind() == jinja::Kind::integer && key.integer() >= 0 &&
            static_cast<size_t>(key.integer()) < groups_.size()) {
            return static_cast<size_t>(key.integer());
        }
        const auto& names = pattern_->NamedCapturingGroups();
        const auto named = names.find(key.text());
        if (named != names.end()) return static_cast<size_t>(named->second);
        return Error(ErrorKind::invalid_config, "no such group: " + key.text());
    }
    Result<Value> group(const Value& key) const { return value(TRY(index(key))); }
    Result<Value> call_group(Vm&, const Arguments& arguments) const {
        if (arguments.positional.empty()) return value(0);
        if (arguments.positional.size() == 1) return group(arguments.positional[0]);
        std::vector<Value> all;
        for (const Value& key : arguments.positional) all.push_back(TRY(group(key)));
        return Value::tuple(std::move(all));
    }
    Result<Value> call_groups(Vm&, const Arguments&) const {
        std::vector<Value> all;
        for (size_t i = 1; i < groups_.size(); ++i) all.push_back(value(i));
        return Value::tuple(std::move(all));
    }
    Result<Value> call_groupdict(Vm&, const Arguments&) const {
        auto dict = jinja::make<Dict>();
        for (const auto& [name, number] : pattern_->NamedCapturingGroups())
            dict->set(name, value(static_cast<size_t>(number)));
        return Value(dict);
    }
    int64_t begin(size_t index) const {
        return groups_[index].data() == nullptr ? -1 : groups_[index].data() - text_->data();
    }
    int64_t end(size_t index) const {
        return groups_[index].data() == nullptr ? -1 : begin(index) + static_cast<int64_t>(groups_[index].size());
    }
    Result<size_t> asked(const Arguments& arguments) const {
        if (arguments.positional.empty()) return size_t{0};
        return index(arguments.positional[0]);
    }
    Result<Value> call_start(Vm&, const Arguments& arguments) const { return Value(begin(TRY(asked(arguments)))); }
    Result<Value> call_end(Vm&, const Arguments& arguments) const { return Value(end(TRY(asked(arguments)))); }
    Result<Value> call_span(Vm&, const Arguments& arguments) const {
        const size_t at = TRY(asked(arguments));
        return Value::tuple({Value(begin(at)), Value(end(at))});
    }

    const Pattern pattern_;
    const std::shared_ptr<const std::string> text_;
    const Groups groups_;
};

// The arguments (pattern, text, flags), of which a compiled pattern has the first already.
struct Call {
    Pattern pattern;
    std::shared_ptr<const std::string> text;
};

Value match_value(const Call& call, Groups groups) {
    return {Ref<jinja::Object>(new MatchObject(call.pattern, call.text, std::move(groups)))};
}

Result<Value> match(const Call& call, RE2::Anchor anchor) {
    Groups groups;
    if (!find(*call.pattern, *call.text, 0, anchor, groups)) return Value::none();
    return match_value(call, std::move(groups));
}

// All matches, none overlapping.
std::vector<Groups> all_matches(const Call& call) {
    std::vector<Groups> all;
    Groups groups;
    for (size_t at = 0; at <= call.text->size() && find(*call.pattern, *call.text, at, RE2::UNANCHORED, groups);) {
        const size_t end = static_cast<size_t>(groups[0].data() - call.text->data()) + groups[0].size();
        at = groups[0].empty() ? end + 1 : end;
        all.push_back(std::move(groups));
    }
    return all;
}

Value piece_value(const re2::StringPiece& piece) { return Value(std::string(piece.data(), piece.size())); }

Result<Value> find_all(const Call& call) {
    std::vector<Value> found;
    for (const Groups& groups : all_matches(call)) {
        if (groups.size() == 1) found.push_back(piece_value(groups[0]));
        if (groups.size() == 2) found.push_back(piece_value(groups[1]));
        if (groups.size() <= 2) continue;
        std::vector<Value> tuple;
        for (size_t i = 1; i < groups.size(); ++i) tuple.push_back(piece_value(groups[i]));
        found.push_back(Value::tuple(std::move(tuple)));
    }
    return Value::list(std::move(found));
}

Result<Value> split_by(const Call& call, int64_t pieces_max) {
    std::vector<Value> parts;
    size_t at = 0;
    for (const Groups& groups : all_matches(call)) {
        if (pieces_max > 0 && parts.size() >= static_cast<size_t>(pieces_max)) break;
        const auto begin = static_cast<size_t>(groups[0].data() - call.text->data());
        parts.emplace_back(call.text->substr(at, begin - at));
        for (size_t i = 1; i < groups.size(); ++i) parts.push_back(piece_value(groups[i]));
        at = begin + groups[0].size();
    }
    parts.emplace_back(call.text->substr(at));
    return Value::list(std::move(parts));
}

// \1 and \g<1>, \g<name> of a replacement.
std::string replaced(const std::string& replacement, const Groups& groups, const RE2& pattern) {
    std::string out;
    const auto add = [&](size_t index) {
        if (index < groups.size()) out.append(groups[index].data(), groups[index].size());
    };
    for (size_t i = 0; i < replacement.size(); ++i) {
        if (replacement[i] != '\\' || i + 1 == replacement.size()) {
            out += replacement[i];
            continue;
        }
        const char c = replacement[++i];
        const size_t close = c == 'g' ? replacement.find('>', i) : std::string::npos;
        if (c >= '0' && c <= '9') {
            add(static_cast<size_t>(c - '0'));
        } else if (close != std::string::npos) {
            const std::string name = replacement.substr(i + 2, close - i - 2);
            const auto named = pattern.NamedCapturingGroups().find(name);
            if (named != pattern.NamedCapturingGroups().end())
                add(static_cast<size_t>(named->second));
            else
                add(static_cast<size_t>(std::atoi(name.c_str())));
            i = close;
        } else if (c == 'n') {
            out += '\n';
        } else if (c == 't') {
            out += '\t';
        } else {
            out += c == '\\' ? "\\" : std::string("\\") + c;
        }
    }
    return out;
}

Result<Value> substitute(Vm& vm, const Call& call, const Value& replacement, int64_t count_max) {
    std::string out;
    size_t at = 0;
    int64_t count = 0;
    for (const Groups& groups : all_matches(call)) {
        if (count_max > 0 && count++ >= count_max) break;
        const auto begin = static_cast<size_t>(groups[0].data() - call.text->data());
        out.append(*call.text, at, begin - at);
        if (replacement.is_string()) {
            out += replaced(replacement.string(), groups, *call.pattern);
        } else {
            const Value found = match_value(call, groups);
            out += TRY(vm.call(replacement, {std::span(&found, 1), {}})).text();
        }
        at = begin + groups[0].size();
    }
    out.append(*call.text, at, std::string::npos);
    return Value(out);
}

class PatternObject final : public HostObject<PatternObject> {
public:
    explicit PatternObject(Pattern pattern) : pattern_(std::move(pattern)) {}
    std::string_view type_name() const override { return "Pattern"; }
    static std::span<const Method> methods() {
        static constexpr std::array<Method, 6> kMethods = {{{"match", &PatternObject::call_match},
                                                            {"search", &PatternObject::call_search},
                                                            {"fullmatch", &PatternObject::call_fullmatch},
                                                            {"findall", &PatternObject::call_findall},
                                                            {"split", &PatternObject::call_split},
                                                            {"sub", &PatternObject::call_sub}}};
        return kMethods;
    }
    Result<Value> call_match(Vm&, const Arguments& a) const { return match(TRY(on(a, "match")), RE2::ANCHOR_START); }
    Result<Value> call_search(Vm&, const Arguments& a) const { return match(TRY(on(a, "search")), RE2::UNANCHORED); }
    Result<Value> call_fullmatch(Vm&, const Arguments& a) const {
        return match(TRY(on(a, "fullmatch")), RE2::ANCHOR_BOTH);
    }
    Result<Value> call_findall(Vm&, const Arguments& a) const { return find_all(TRY(on(a, "findall"))); }
    Result<Value> call_split(Vm&, const Arguments& arguments) const {
        const std::array<Parameter, 2> parameters = {{{"string"}, {"maxsplit", Value(0)}}};
        const auto values = TRY(jinja::bind_arguments("split", parameters, arguments));
        return split_by(with(values[0]), values[1].kind() == jinja::Kind::integer ? values[1].integer() : 0);
    }
    Result<Value> call_sub(Vm& vm, const Arguments& arguments) const {
        const std::array<Parameter, 3> parameters = {{{"repl"}, {"string"}, {"count", Value(0)}}};
        const auto values = TRY(jinja::bind_arguments("sub", parameters, arguments));
        const int64_t count = values[2].kind() == jinja::Kind::integer ? values[2].integer() : 0;
        return substitute(vm, with(values[1]), values[0], count);
    }

private:
    Result<std::optional<Value>> property(Vm&, std::string_view name) const override {
        return name == "pattern" ? std::optional(Value(pattern_->pattern())) : std::nullopt;
    }
    Call with(const Value& text) const { return {pattern_, std::make_shared<const std::string>(text.text())}; }
    Result<Call> on(const Arguments& arguments, std::string_view function) const {
        const std::array<Parameter, 1> parameters = {{{"string"}}};
        return with(TRY(jinja::bind_arguments(function, parameters, arguments))[0]);
    }

    const Pattern pattern_;
};

// re.f(pattern, rest..., flags): the same as compile(pattern, flags).f(rest...).
Value function(std::string name, size_t rest_max) {
    return jinja::make_function(name, [name, rest_max](Vm& vm, const Arguments& arguments) -> Result<Value> {
        if (arguments.positional.empty())
            return Error(ErrorKind::invalid_config, name + "() takes a pattern and a text");
        int64_t flags = 0;
        auto rest = arguments.positional.subspan(1);
        if (rest.size() > rest_max)
            flags = rest[rest_max].kind() == jinja::Kind::integer ? rest[rest_max].integer() : 0;
        rest = rest.first(std::min(rest.size(), rest_max));
        std::vector<jinja::NamedValue> named;
        for (const auto& given : arguments.named) {
            if (given.name == "flags" && given.value.kind() == jinja::Kind::integer)
                flags = given.value.integer();
            else
                named.push_back(given);
        }
        const Value& pattern = arguments.positional[0];
        if (const auto* known = pattern.object_as<PatternObject>()) {
            return *TRY(known->call_method(vm, name, {rest, named}));
        }
        const PatternObject object(TRY(compile(pattern.text(), flags)));
        return *TRY(object.call_method(vm, name, {rest, named}));
    });
}

}  // namespace

Value regex_module() {
    auto module = jinja::make<Dict>();
    module->set("match", function("match", 1));
    module->set("search", function("search", 1));
    module->set("fullmatch", function("fullmatch", 1));
    module->set("findall", function("findall", 1));
    module->set("split", function("split", 2));
    module->set("sub", function("sub", 3));
    module->set("compile", jinja::make_function("compile", [](Vm&, const Arguments& arguments) -> Result<Value> {
                    const std::array<Parameter, 2> parameters = {{{"pattern"}, {"flags", Value(0)}}};
                    const auto values = TRY(jinja::bind_arguments("compile", parameters, arguments));
                    const int64_t flags = values[1].kind() == jinja::Kind::integer ? values[1].integer() : 0;
                    return Value(Ref<jinja::Object>(new PatternObject(TRY(compile(values[0].text(), flags)))));
                }));
    module->set("escape", jinja::make_function("escape", [](Vm&, const Arguments& arguments) -> Result<Value> {
                    const std::array<Parameter, 1> parameters = {{{"pattern"}}};
                    return Value(RE2::QuoteMeta(TRY(jinja::bind_arguments("escape", parameters, arguments))[0].text()));
                }));
    for (const auto& [name, flag] :
         {std::pair("IGNORECASE", ignore_case), std::pair("I", ignore_case), std::pair("MULTILINE", multi_line),
          std::pair("M", multi_line), std::pair("DOTALL", dot_all), std::pair("S", dot_all)}) {
        module->set(name, static_cast<int64_t>(flag));
    }
    return module;
}

}  // namespace shaduf::models
