#include <algorithm>
#include <fstream>
#include <map>

#include "connectors/files/manifest.h"
#include "io/object_store.h"
#include "tests/connectors/conformance.h"

namespace shaduf {
namespace {

// A folder with files to read and tables to write, and a bucket with files to read.
class FilesConformance final : public ConformanceFixture {
public:
    void fill() override {
        // Larger than what is read at once, so that there are checkpoints within.
        const std::string large(1000, 'x');
        std::string lines;
        for (int id = 0; id < kLargeRows; ++id) {
            lines += "{\"id\":" + std::to_string(id) + ",\"name\":\"" + large + "\"}\n";
        }
        put("in/large.ndjson", lines);
        put("in/a.ndjson", "{\"id\":1}\n\n{\"id\":2}\n");
        put("in/b.ndjson", "{\"id\":3}\n");
        put("in/c.csv", "id,name\n4,\"one\n\"\"two\"\"\"\n5,x\n");
        put("in/d.json", R"([{"id":6},{"id":7}])");
        for (const std::string name : {"a.ndjson", "b.ndjson"})
            put_object("raw/" + name, "{\"id\":\"" + name + "\"}\n");
        world.http.expect("GET /lake/").answer([this](const HttpRequest&) { return list_objects(); }).repeat();
    }
    std::string connection(const std::string& secret) override {
        return "path: " + folder.path().string() + "\naccess_key: a\nsecret_key: " + secret +
               "\nsession_token: " + secret;
    }
    std::vector<StreamCase> streams() override {
        return {{.stream = "large", .options = "files: in/large.ndjson", .rows = kLargeRows},
                {.stream = "several", .options = "files: in/?.*", .rows = 7},
                {.stream = "whole",
                 .mode = ReadMode::full_refresh,
                 .options = "files: in/c.csv",
                 .rows = 2,
                 .resumes = false},
                {.stream = "bucket",
                 .options = "files: '*.ndjson'",
                 .rows = 2,
                 .connection = "{path: s3://lake/raw, endpoint: 'http://s3.test:9000', access_key: a, secret_key: "
                               "s3cr3t, session_token: s3cr3t}"}};
    }
    bool break_reads() override {
        broken_ = true;
        return true;
    }
    void repair_reads() override { broken_ = false; }

    // What the newest manifest names is the table.
    std::vector<std::string> visible_rows(const TableTarget& table) override {
        std::vector<std::string> rows;
        const auto store = open_object_store({.url = folder.path().string()}).release_value();
        ManifestLog log(*store, table.table);
        if (!log.refresh(world.run).ok()) return {"the manifests cannot be read"};
        auto connection = databases.open_in_memory({}).value()->connect(world.cancellation).release_value();
        for (const auto& [key, file] : log.state().files) {
            auto found =
                connection->query("SELECT id || '|' || name FROM read_parquet(" + quote_literal(folder / key) + ")");
            if (!found.ok()) return {found.error().to_string()};
            for (const auto& batch : found.value()) {
                for (size_t row = 0; row < batch.rows(); ++row) rows.emplace_back(batch.column(0).text_at(row));
            }
        }
        std::sort(rows.begin(), rows.end());
        return rows;
    }

private:
    static constexpr int kLargeRows = 10'000;

    void put(const std::string& name, const std::string& text) {
        std::filesystem::create_directories((folder.path() / name).parent_path());
        std::ofstream(folder / name, std::ios::app) << text;
    }
    void put_object(const std::string& key, const std::string& text) {
        objects_[key] = text;
        for (const char* method : {"HEAD", "GET"}) {
            world.http.expect(std::string(method) + " /lake/" + key)
                .answer([this, text](const HttpRequest& request) { return object(request, text); })
                .repeat();
        }
    }
    Result<HttpResponse> object(const HttpRequest& request, const std::string& text) const {
        if (broken_) return Error(ErrorKind::unavailable, "connection reset");
        HttpHeaders headers{{"ETag", "\"e\""}, {"Content-Length", std::to_string(text.size())}};
        return FakeHttp::make_response(200, headers, request.method == "HEAD" ? "" : text);
    }
    Result<HttpResponse> list_objects() const {
        if (broken_) return Error(ErrorKind::unavailable, "connection reset");
        std::string xml = "<ListBucketResult><IsTruncated>false</IsTruncated>";
        for (const auto& [key, text] : objects_) {
            xml += "<Contents><Key>" + key + "</Key><ETag>\"e\"</ETag><Size>" + std::to_string(text.size()) +
                   "</Size></Contents>";
        }
        return FakeHttp::make_response(200, {}, xml + "</ListBucketResult>");
    }

    std::map<std::string, std::string> objects_;
    bool broken_ = false;
};

}  // namespace

std::unique_ptr<ConformanceFixture> conformance_files() { return std::make_unique<FilesConformance>(); }

}  // namespace shaduf
