#include "base/text.h"
#include "tests/connectors/conformance_suite.h"

// What a spec declares must be enough for the parser, the docs and a form.
namespace shaduf {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class EverySpec : public EveryConnector {
protected:
    // Calls `each` for every field of every table, children included.
    template <typename Each>
    void for_each_field(const Each& each) const {
        for (const auto& fields : {spec().fields, spec().stream_fields, spec().table_fields}) walk(fields, "", each);
    }

private:
    template <typename Each>
    static void walk(std::span<const FieldSpec> fields, const std::string& above, const Each& each) {
        for (const FieldSpec& field : fields) {
            const std::string path = above + std::string(field.name);
            SCOPED_TRACE(path);
            each(field);
            walk(field.children, path + ".", each);
        }
    }
};

bool is_snake_case(std::string_view name) {
    if (name.empty() || name.front() < 'a' || name.front() > 'z') return false;
    return std::all_of(name.begin(), name.end(),
                       [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

bool is_sentence(std::string_view text) {
    return !text.empty() && (text.back() == '.' || text.back() == '?') && text.find('\n') == text.npos;
}

bool holds_fields(FieldType type) {
    return type == FieldType::object || type == FieldType::object_list || type == FieldType::object_map;
}

// Names that say that their value gives access.
bool names_a_secret(std::string_view name) {
    constexpr std::string_view kEndings[] = {"password", "passphrase", "secret",      "token",
                                             "api_key",  "secret_key", "private_key", "credentials"};
    return std::any_of(std::begin(kEndings), std::end(kEndings), [&](auto ending) { return name.ends_with(ending); });
}

std::vector<Error> errors_of(FieldSpec field, const Node& value) {
    field.required = false;
    Options options;
    const Node map =
        Node::map({{std::string(field.name), Place::in_file("spec", 1), value}}, Place::in_file("spec", 1));
    return Options::create(std::span(&field, 1), map, keep_text, options);
}

Result<Node> parse_value(std::string_view text) {
    const bool is_flow = text.starts_with('[') || text.starts_with('{');
    if (is_flow) return Node::parse_yaml(text, "spec");
    return Node::scalar(std::string(text), false, Place::in_file("spec", 1));
}

TEST_P(EverySpec, SaysWhatItIs) {
    EXPECT_TRUE(is_snake_case(spec().name)) << spec().name;
    EXPECT_TRUE(is_sentence(spec().summary)) << spec().summary;
    EXPECT_TRUE(spec().make_source != nullptr || spec().make_sink != nullptr) << "neither a source nor a sink";
    EXPECT_TRUE(spec().make_source != nullptr || spec().stream_fields.empty()) << "options of a stream, but no source";
    EXPECT_TRUE(spec().make_sink != nullptr || spec().table_fields.empty()) << "options of a table, but no sink";
}

TEST_P(EverySpec, NamesAndExplainsItsFields) {
    for_each_field([](const FieldSpec& field) {
        EXPECT_TRUE(is_snake_case(field.name));
        EXPECT_TRUE(is_sentence(field.help)) << "help is no sentence: " << field.help;
        EXPECT_EQ(!field.children.empty(), holds_fields(field.type)) << "children belong to maps";
        EXPECT_FALSE(field.required && !field.default_value.empty()) << "required, and yet with a default";
    });
    for (const auto& fields : {spec().fields, spec().stream_fields, spec().table_fields}) {
        std::vector<std::string_view> names;
        for (const FieldSpec& field : fields) names.push_back(field.name);
        std::sort(names.begin(), names.end());
        EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end()) << "a name twice";
    }
}

TEST_P(EverySpec, ReadsItsOwnDefaultsAndExamples) {
    for_each_field([](const FieldSpec& field) {
        for (const std::string_view text : {field.default_value, field.example}) {
            if (text.empty()) continue;
            auto value = parse_value(text);
            ASSERT_TRUE(value.ok()) << value.error().to_string();
            for (const Error& error : errors_of(field, value.value())) ADD_FAILURE() << error.to_string();
        }
        if (field.choices.empty() || field.default_value.empty()) return;
        EXPECT_THAT(field.choices, testing::Contains(field.default_value));
    });
}

TEST_P(EverySpec, MarksItsSecrets) {
    for_each_field([](const FieldSpec& field) {
        EXPECT_TRUE(field.secret || !names_a_secret(field.name)) << "its name says that it is a secret: mark it";
        if (!field.secret) return;
        EXPECT_THAT(field.default_value, IsEmpty()) << "a secret has no default";
        EXPECT_THAT(field.example, IsEmpty()) << "a secret has no example";
        // Of every wrong kind, in any place, the error does not show it.
        const Place here = Place::in_file("spec", 1);
        const Node text = Node::scalar("s3cr3t", true, here);
        for (const Node& wrong : {text, Node::list({text, Node::list({text}, here)}, here),
                                  Node::map({{"a", here, text}, {"b", here, Node::list({text}, here)}}, here)}) {
            for (const Error& error : errors_of(field, wrong)) {
                EXPECT_THAT(error.to_string(), Not(HasSubstr("s3cr3t")));
            }
        }
    });
}

INSTANTIATE_TEST_SUITE_P(Builtin, EverySpec, testing::ValuesIn(builtin_connectors().all()), ConnectorName());

// The suite itself: what it looks for it must find.
TEST(ConformanceRules, TellsRightFromWrong) {
    EXPECT_TRUE(is_snake_case("a_b2"));
    for (const char* wrong : {"", "aB", "_a", "a-b", "2a"}) EXPECT_FALSE(is_snake_case(wrong)) << wrong;
    EXPECT_TRUE(is_sentence("It is."));
    for (const char* wrong : {"", "no end", "two\nlines."}) EXPECT_FALSE(is_sentence(wrong)) << wrong;
    for (const char* secret : {"password", "client_secret", "session_token", "secret_key"}) {
        EXPECT_TRUE(names_a_secret(secret)) << secret;
    }
    for (const char* open : {"access_key", "token_url", "key"}) EXPECT_FALSE(names_a_secret(open)) << open;
    const FieldSpec number{.name = "n", .type = FieldType::integer, .help = "A number."};
    EXPECT_THAT(errors_of(number, Node::scalar("x", false, {})), testing::SizeIs(1));
}

}  // namespace
}  // namespace shaduf
