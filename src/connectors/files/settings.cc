#include "connectors/files/settings.h"

namespace shaduf::files {
namespace {

ObjectStoreSettings::Addressing parse_addressing(const std::string& name) {
    if (name == "path") return ObjectStoreSettings::Addressing::path;
    if (name == "virtual_host") return ObjectStoreSettings::Addressing::virtual_host;
    return ObjectStoreSettings::Addressing::automatic;
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> open_store(const Options& options) {
    ObjectStoreSettings settings;
    settings.url = options.text("path");
    settings.endpoint = options.text("endpoint");
    if (options.has("region")) settings.region = options.text("region");  // else as the kind of store has it
    settings.access_key = options.text("access_key");
    settings.secret_key = options.text("secret_key");
    settings.session_token = options.text("session_token");
    settings.addressing = parse_addressing(options.text("addressing"));
    settings.encryption = options.text("encryption");
    auto store = open_object_store(settings);
    if (!store.ok()) return store.release_error().at(options.place_of("path"));
    return store;
}

}  // namespace shaduf::files
