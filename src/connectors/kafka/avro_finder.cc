#include "connectors/kafka/avro_finder.h"

#include <fstream>
#include <set>
#include <sstream>
#include <tuple>

#include "connectors/kafka/avro_reader.h"
#include "connectors/kafka/schema_finder.h"

namespace shaduf::kafka {
namespace {

constexpr std::string_view kLatest = "latest";

// Makes readers of writers' schemas, with the reader's schema, if one is wanted.
class AvroReaders {
public:
    AvroReaders(const DecoderSettings& settings, std::string reader_schema)
        : registry_(settings.registry),
          place_(Place::in_stream(settings.connection, settings.stream)),
          subject_(settings.reader_subject),
          reader_schema_(std::move(reader_schema)) {}

    Result<MadeReader> make(RunContext& run, const RegisteredSchemaPtr& schema) {
        if (schema->language != SchemaLanguage::avro) {
            return Error(ErrorKind::bad_data, "schema is not of Avro: id " + std::to_string(schema->id));
        }
        auto writer = TRY(AvroSchema::parse(*schema));
        const bool renews = TRY(find_reader(run, schema));
        return MadeReader{TRY(make_avro_reader(std::move(writer), reader_)), renews};
    }

private:
    // Whether it is another one than before. A schema that was not met yet may come of a writer that knows more: what
    // is the latest is asked for again then.
    Result<bool> find_reader(RunContext& run, const RegisteredSchemaPtr& writer) {
        const bool is_met = !met_.insert(writer).second;
        const bool stays = is_met || reader_schema_ != kLatest;
        if (reader_schema_.empty() || (reader_ != nullptr && stays)) return false;
        auto found = TRY(read_reader(run));
        const bool is_another = reader_ != nullptr && found.first != reader_text_;
        if (reader_ == nullptr || is_another) std::tie(reader_text_, reader_) = std::move(found);
        return is_another;
    }

    using TextAndSchema = std::pair<std::string, AvroSchemaPtr>;

    // An error here is of the configuration, not of the message that came first.
    Result<TextAndSchema> read_reader(RunContext& run) {
        auto schema = reader_schema_ == kLatest ? latest(run) : from_file();
        if (schema.ok()) return schema;
        const Error& error = schema.error();
        if (error.kind() != ErrorKind::bad_data) return error.at(place_);
        return Error(ErrorKind::invalid_config,
                     "reader_schema cannot be used: " + reader_schema_ + ": " + error.message())
            .at(place_);
    }

    Result<TextAndSchema> latest(RunContext& run) {
        const auto schema = TRY(registry_->latest(run, subject_));
        return TextAndSchema{schema->text, TRY(AvroSchema::parse(*schema))};
    }

    Result<TextAndSchema> from_file() const {
        std::ifstream file(reader_schema_, std::ios::binary);
        std::ostringstream text;
        text << file.rdbuf();
        if (!file) return Error(ErrorKind::bad_data, "the file cannot be read");
        return TextAndSchema{text.str(), TRY(AvroSchema::parse(text.str()))};
    }

    const std::shared_ptr<SchemaRegistry> registry_;
    const Place place_;
    const std::string subject_;
    const std::string reader_schema_;
    std::string reader_text_;
    std::set<RegisteredSchemaPtr> met_;
    AvroSchemaPtr reader_;
};

}  // namespace

std::unique_ptr<ReaderFinder> find_avro(const DecoderSettings& settings, const std::string& reader_schema) {
    auto readers = std::make_shared<AvroReaders>(settings, reader_schema);
    const auto make = [readers](RunContext& run, const RegisteredSchemaPtr& schema, std::string_view) {
        return readers->make(run, schema);
    };
    return find_by_registry(settings.registry, FrameIndexes::absent, make);
}

}  // namespace shaduf::kafka
