// Any source that speaks the Airbyte protocol, as a command. The parts are in airbyte/.
#include <array>

#include "connectors/airbyte/import.h"
#include "connectors/airbyte/source.h"
#include "connectors/command/options.h"
#include "connectors/connector.h"

namespace shaduf {
namespace {

constexpr std::array kConnection{
    kCommandField,
    kCommandConfigField,
    kCommandEnvironmentField,
    kCommandTimeoutField,
    FieldSpec{.name = "catalog",
              .help = "A file with the source's catalog, as `discover` tells it; without one, each run asks.",
              .example = "catalogs/faker.json"},
};

constexpr std::array kStream{
    FieldSpec{.name = "cursor_field",
              .type = FieldType::text_list,
              .help = "The field that mode incremental goes by, where the source leaves that open.",
              .example = "updated_at"},
};

}  // namespace

extern const ConnectorSpec connector_airbyte;
const ConnectorSpec connector_airbyte{
    .name = "airbyte",
    .summary = "Any source that speaks the Airbyte protocol, run as a command.",
    .fields = kConnection,
    .stream_fields = kStream,
    .check = airbyte::check,
    .discover = airbyte::discover,
    .import_streams = airbyte::import_streams,
    .make_source = airbyte::make_source,
};

}  // namespace shaduf
