#include "models/context/batch.h"

#include "models/python/moment.h"

namespace shaduf::models {

jinja::Value utc_value(int64_t micros) { return moment_value(Moment::Kind::datetime, micros, utc_zone()); }

std::string utc_text(int64_t micros) { return utc_value(micros).text(); }

jinja::Value batch_value(const Batch& batch) {
    auto dict = jinja::make<jinja::Dict>();
    dict->set("id", batch.id);
    dict->set("event_time_start", utc_value(batch.time.start));
    dict->set("event_time_end", utc_value(batch.time.end));
    return dict;
}

}  // namespace shaduf::models
