// Any Singer tap, as a command. The parts are in singer/.
#include <array>

#include "connectors/command/options.h"
#include "connectors/connector.h"
#include "connectors/singer/import.h"
#include "connectors/singer/source.h"

namespace shaduf {
namespace {

constexpr std::array<std::string_view, 2> kCatalogOptions{"catalog", "properties"};

constexpr std::array kConnection{
    kCommandField,
    kCommandConfigField,
    kCommandEnvironmentField,
    kCommandTimeoutField,
    FieldSpec{.name = "catalog",
              .help = "A file with the tap's catalog, as --discover tells it; without one, each run asks. `none`: "
                      "the tap knows no catalogs and gives all it has.",
              .example = "catalogs/shop.json"},
    FieldSpec{.name = "catalog_option",
              .help = "The option by which the tap takes its catalog; old ones call it properties.",
              .default_value = "catalog",
              .choices = kCatalogOptions},
};

constexpr std::array kStream{
    FieldSpec{.name = "cursor_field",
              .help = "The field that mode incremental goes by, where the tap's catalog leaves that open.",
              .example = "updated_at"},
};

}  // namespace

extern const ConnectorSpec connector_singer;
const ConnectorSpec connector_singer{
    .name = "singer",
    .summary = "Any Singer tap, run as a command.",
    .fields = kConnection,
    .stream_fields = kStream,
    .check = singer::check,
    .discover = singer::discover,
    .import_streams = singer::import_streams,
    .make_source = singer::make_source,
};

}  // namespace shaduf
