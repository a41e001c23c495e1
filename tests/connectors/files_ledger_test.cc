#include "connectors/files/ledger.h"

#include "tests/connectors/files_world.h"

namespace shaduf {
namespace {

using files::Ledger;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const ObjectInfo kFile{"in/a.csv", 10, "e1", {}};

TEST(FilesLedger, FingerprintChangesWithWhatAFileIs) {
    const uint64_t known = Ledger::fingerprint_of(kFile);
    ObjectInfo same = kFile;
    same.modified = Timestamp(std::chrono::seconds(5));
    EXPECT_EQ(Ledger::fingerprint_of(same), known);
    const ObjectInfo others[] = {
        {"in/b.csv", 10, "e1", {}}, {"in/a.csv", 11, "e1", {}}, {"in/a.csv", 10, "e2", {}}, {"in/a.csv", 1, "0e1", {}}};
    for (const auto& other : others) EXPECT_NE(Ledger::fingerprint_of(other), known) << other.key;
}

TEST(FilesLedger, IsWhatItsCheckpointSays) {
    Ledger ledger;
    EXPECT_FALSE(Ledger::parse(ledger.to_checkpoint()).value().reading().has_value());
    ledger.finish(7);
    ledger.finish(UINT64_MAX);
    ledger.set_reading({"in/\"ü\".csv", 9, 1ULL << 40, 12});
    const Ledger again = Ledger::parse(ledger.to_checkpoint()).release_value();
    EXPECT_TRUE(again.has_read(7));
    EXPECT_TRUE(again.has_read(UINT64_MAX));
    EXPECT_FALSE(again.has_read(9));  // not to its end
    ASSERT_TRUE(again.reading().has_value());
    EXPECT_EQ(again.reading()->key, "in/\"ü\".csv");
    EXPECT_EQ(again.reading()->fingerprint, 9U);
    EXPECT_EQ(again.reading()->offset, 1ULL << 40);
    EXPECT_EQ(again.reading()->line, 12);
    EXPECT_EQ(again.to_checkpoint(), ledger.to_checkpoint());
    ledger.finish(9);
    EXPECT_FALSE(Ledger::parse(ledger.to_checkpoint()).value().reading().has_value());
    EXPECT_TRUE(Ledger::parse(ledger.to_checkpoint()).value().has_read(9));
}

TEST(FilesLedger, RefusesWhatIsNoneOfItsCheckpoints) {
    for (const char* text : {"", "7", "[]", "{}", R"({"done": 1})", R"({"done": "%%"})", R"({"done": "AAAA"})",
                             R"({"done": "", "reading": {"file": "a"}})", R"({"done": "", "reading": 3})"}) {
        SCOPED_TRACE(text);
        auto parsed = Ledger::parse(Checkpoint(text));
        ASSERT_FALSE(parsed.ok());
        EXPECT_EQ(parsed.error().kind(), ErrorKind::bad_data);
        EXPECT_THAT(parsed.error().message(), HasSubstr("checkpoint"));
    }
}

class FilesSourceTest : public FilesTest {};

TEST_F(FilesSourceTest, ReadsOnlyWhatIsNewOrChanged) {
    put("in/b.ndjson", "{\"id\":2}\n");
    put("in/a.ndjson", "{\"id\":1}\n");
    put("in/.hidden.ndjson", "{\"id\":0}\n");
    put("in/other.txt", "{\"id\":9}\n");
    const std::string pattern = "files: 'in/*.ndjson'";
    auto first = read_stream(pattern);
    EXPECT_THAT(first.rows, ElementsAre(R"({"id":0})", R"({"id":1})", R"({"id":2})"));
    auto again = read_stream(pattern, first.last);
    EXPECT_EQ(again.error, "");
    EXPECT_THAT(again.rows, IsEmpty());
    put("in/a.ndjson", "{\"id\":1}\n{\"id\":10}\n");  // changed: whole again
    put("in/c.ndjson", "{\"id\":3}\n");
    auto third = read_stream(pattern, first.last);
    EXPECT_THAT(third.rows, ElementsAre(R"({"id":1})", R"({"id":10})", R"({"id":3})"));
    std::filesystem::remove(folder / "in/b.ndjson");
    EXPECT_THAT(read_stream(pattern, third.last).rows, IsEmpty());
}

TEST_F(FilesSourceTest, AFileThatTwoPatternsMeetIsReadOnce) {
    put("in/a.ndjson", "{\"id\":1}\n");
    put("in/t/_shaduf/quarantine/x.ndjson", "{\"id\":\"of our own\"}\n");
    EXPECT_THAT(read_stream("files: ['in/*', '**/*.ndjson', in/a.ndjson]").rows, ElementsAre(R"({"id":1})"));
    EXPECT_THAT(read_stream("files: ['in/x*', 'y']").error, HasSubstr("no file matches: " + (folder / "in/x*, y")));
}

// From every checkpoint on the way, whatever the format, the rest comes and nothing twice.
TEST_F(FilesSourceTest, ResumesInTheMiddleOfAFile) {
    std::string lines;
    std::string records = "id,name\n";
    std::vector<std::string> expected_lines;
    for (int id = 0; id < 6000; ++id) {
        const std::string name = std::to_string(id) + std::string(900, 'x');
        expected_lines.push_back("{\"id\":" + std::to_string(id) + ",\"name\":\"" + name + "\"}");
        lines += expected_lines.back() + "\n";
        records += std::to_string(id) + ",\"" + name + "\n\"\n";
    }
    put("in/b.ndjson", lines);
    put("in/b.csv", records);
    for (const std::string ending : {"ndjson", "csv"}) {
        SCOPED_TRACE(ending);
        const std::string pattern = "files: in/*." + ending;
        put("in/a." + ending, ending == "csv" ? "id,name\n-1,first\n" : "{\"id\":-1}\n");
        const auto all = read_stream(pattern);
        ASSERT_EQ(all.rows.size(), 6001U);
        size_t resumed = 0;
        for (size_t row = 1; row + 1 < all.rows.size(); ++row) {
            if (all.behind[row] == all.behind[row + 1]) continue;
            ++resumed;
            const auto rest = read_stream(pattern, all.behind[row]);
            ASSERT_EQ(rest.rows,
                      std::vector<std::string>(all.rows.begin() + static_cast<int64_t>(row) + 1, all.rows.end()));
        }
        EXPECT_GE(resumed, 2U);
    }
}

// A file that was cut off in the middle and then changed begins anew; one that came in between by name waits.
TEST_F(FilesSourceTest, AChangedFileIsNotResumed) {
    std::string lines;
    for (int id = 0; id < 5000; ++id) lines += "{\"id\":" + std::to_string(id) + std::string(900, ' ') + "}\n";
    put("in/m.ndjson", lines);
    const auto all = read_stream("files: 'in/*'");
    const auto middle = all.behind.front();
    put("in/a.ndjson", "{\"id\":\"a\"}\n");
    auto resumed = read_stream("files: 'in/*'", middle);
    EXPECT_EQ(resumed.rows.back(), R"({"id":"a"})");
    EXPECT_LT(resumed.rows.size(), all.rows.size());
    EXPECT_EQ(resumed.rows.front().substr(0, 6), "{\"id\":");
    EXPECT_NE(resumed.rows.front(), all.rows.front());
    put("in/m.ndjson", "{\"id\":\"new\"}\n");
    EXPECT_THAT(read_stream("files: 'in/*'", middle).rows, ElementsAre(R"({"id":"a"})", R"({"id":"new"})"));
}

}  // namespace
}  // namespace shaduf
