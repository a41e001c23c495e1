#include "connectors/kafka/avro_finder.h"

#include <fstream>
#include <sstream>

#include "connectors/kafka/avro_reader.h"
#include "connectors/kafka/schema_finder.h"

namespace shaduf::kafka {
namespace {

// Makes readers of writers' schemas, with the reader's schema, if one is wanted.
class AvroReaders {
public:
    AvroReaders(const DecoderSettings& settings, std::string reader_schema)
        : registry_(settings.registry),
          place_(Place::in_stream(settings.connection, settings.stream)),
          subject_(subject_name(SubjectStrategy::topic, SubjectPart::value,
                                settings.topic.empty() ? settings.stream : settings.topic, "")),
          reader_schema_(std::move(reader_schema)) {}

    Result<PayloadReaderPtr> make(RunContext& run, const RegisteredSchemaPtr& schema) {
        if (schema->language != SchemaLanguage::avro) {
            return Error(ErrorKind::bad_data, "schema is not of Avro: id " + std::to_string(schema->id));
        }
        auto writer = TRY(AvroSchema::parse(*schema));
        if (!reader_schema_.empty() && reader_ == nullptr) reader_ = TRY(read_reader(run));
        return make_avro_reader(std::move(writer), reader_);
    }

private:
    // An error here is of the configuration, not of the message that came first.
    Result<AvroSchemaPtr> read_reader(RunContext& run) {
        auto schema = reader_schema_ == "latest" ? latest(run) : from_file();
        if (schema.ok()) return schema;
        const Error& error = schema.error();
        if (error.kind() != ErrorKind::bad_data) return error.at(place_);
        return Error(ErrorKind::invalid_config,
                     "reader_schema cannot be used: " + reader_schema_ + ": " + error.message())
            .at(place_);
    }

    Result<AvroSchemaPtr> latest(RunContext& run) {
        const auto schema = TRY(registry_->latest(run, subject_));
        return AvroSchema::parse(*schema);
    }

    Result<AvroSchemaPtr> from_file() const {
        std::ifstream file(reader_schema_, std::ios::binary);
        std::ostringstream text;
        text << file.rdbuf();
        if (!file) return Error(ErrorKind::bad_data, "the file cannot be read");
        return AvroSchema::parse(text.str());
    }

    const std::shared_ptr<SchemaRegistry> registry_;
    const Place place_;
    const std::string subject_;
    const std::string reader_schema_;
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
