#include "io/object_store.h"

#include "base/text.h"
#include "io/url.h"

namespace shaduf {

Result<std::unique_ptr<ObjectStore>> open_object_store(const ObjectStoreSettings& settings) {
    if (settings.url.starts_with("s3://") || settings.url.starts_with("gs://")) return make_s3_object_store(settings);
    if (settings.url.empty())
        return Error(ErrorKind::invalid_config,
                     "no place given; give a folder, s3://bucket/prefix or gs://bucket/prefix");
    if (settings.url.starts_with("file://")) {
        std::string path = percent_decode(std::string_view(settings.url).substr(7));
        if (!path.starts_with('/'))
            return Error(ErrorKind::invalid_config,
                         "a file URL needs a whole path: " + settings.url + "; write file:///path");
        return make_local_object_store(std::move(path));
    }
    if (settings.url.find("://") != std::string::npos)
        return Error(ErrorKind::invalid_config, "unknown kind of place: " + printable_url(settings.url) +
                                                    "; known: a folder, s3://bucket/prefix, gs://bucket/prefix");
    return make_local_object_store(settings.url);
}

Result<void> check_object_key(std::string_view key) {
    for (const auto part : split(key, '/')) {
        if (part.empty() || part == "." || part == "..")
            return Error(ErrorKind::invalid_config, "not the key of an object: \"" + std::string(key) +
                                                        "\"; write parts joined by single slashes");
    }
    return {};
}

}  // namespace shaduf
