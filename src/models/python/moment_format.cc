#include <array>
#include <charconv>
#include <cstdio>

#include "base/text.h"
#include "models/python/moment.h"

namespace shaduf::models {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                   "Friday", "Saturday", "Sunday"};

std::string padded(int64_t number, int width) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%0*lld", width, static_cast<long long>(number));
    return text.data();
}

int iso_week(const Civil& c, int64_t local) {
    const Civil thursday = civil_of(local + (3 - c.weekday) * kMicrosPerDay);
    return (thursday.day_of_year - 1) / 7 + 1;
}

std::string directive(char letter, const Moment& moment, const Civil& c) {
    const int hour = c.hour % 12 == 0 ? 12 : c.hour % 12;
    switch (letter) {
        case 'Y': return padded(c.year, 4);
        case 'y': return padded(c.year % 100, 2);
        case 'm': return padded(c.month, 2);
        case 'd': return padded(c.day, 2);
        case 'e': return c.day < 10 ? " " + std::to_string(c.day) : std::to_string(c.day);
        case 'H': return padded(c.hour, 2);
        case 'I': return padded(hour, 2);
        case 'M': return padded(c.minute, 2);
        case 'S': return padded(c.second, 2);
        case 'f': return padded(c.micro, 6);
        case 'p': return c.hour < 12 ? "AM" : "PM";
        case 'j': return padded(c.day_of_year, 3);
        case 'a': return std::string(kDays.at(static_cast<size_t>(c.weekday)).substr(0, 3));
        case 'A': return std::string(kDays.at(static_cast<size_t>(c.weekday)));
        case 'b': return std::string(kMonths.at(static_cast<size_t>(c.month - 1)).substr(0, 3));
        case 'B': return std::string(kMonths.at(static_cast<size_t>(c.month - 1)));
        case 'w': return std::to_string((c.weekday + 1) % 7);
        case 'u': return std::to_string(c.weekday + 1);
        case 'U': return padded((c.day_of_year + 6 - (c.weekday + 1) % 7) / 7, 2);
        case 'W': return padded((c.day_of_year + 6 - c.weekday) / 7, 2);
        case 'V': return padded(iso_week(c, moment.local_micros()), 2);
        case 'G': return padded(civil_of(moment.local_micros() + (3 - c.weekday) * kMicrosPerDay).year, 4);
        case 's': return std::to_string(moment.utc_micros() / kMicrosPerSecond);
        case 'F': return format_moment(moment, "%Y-%m-%d");
        case 'T':
        case 'X': return format_moment(moment, "%H:%M:%S");
        case 'x':
        case 'D': return format_moment(moment, "%m/%d/%y");
        case 'R': return format_moment(moment, "%H:%M");
        case 'c': return format_moment(moment, "%a %b %e %H:%M:%S %Y");
        case 'Z': return moment.offset_seconds() ? (*moment.offset_seconds() == 0 ? "UTC" : "") : "";
        case 'z': {
            const auto offset = moment.offset_seconds();
            if (!offset) return "";
            const int32_t all = *offset < 0 ? -*offset : *offset;
            return (*offset < 0 ? "-" : "+") + padded(all / 3600, 2) + padded(all / 60 % 60, 2);
        }
        case '%': return "%";
        default: return std::string("%") + letter;
    }
}

// What strptime has read so far.
class MomentReader {
public:
    explicit MomentReader(std::string_view text) : text_(text) {}

    std::optional<jinja::Value> read(std::string_view format) {
        for (size_t i = 0; i < format.size(); ++i) {
            if (format[i] == '%' && i + 1 < format.size()) {
                if (!directive(format[++i])) return std::nullopt;
            } else if (is_space(format[i])) {
                while (at_ < text_.size() && is_space(text_[at_])) ++at_;
            } else if (at_ >= text_.size() || text_[at_++] != format[i]) {
                return std::nullopt;
            }
        }
        if (at_ != text_.size()) return std::nullopt;
        if (is_pm_) hour_ = hour_ % 12 + (*is_pm_ ? 12 : 0);
        const auto micros = micros_of(year_, month_, day_, hour_, minute_, second_, micro_);
        if (!micros) return std::nullopt;
        return moment_value(Moment::Kind::datetime, *micros, zone_);
    }

private:
    static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n'; }

    bool number(size_t digits_max, int64_t& out) {
        size_t end = at_;
        while (end < text_.size() && end - at_ < digits_max && text_[end] >= '0' && text_[end] <= '9') ++end;
        if (end == at_) return false;
        std::from_chars(text_.data() + at_, text_.data() + end, out);
        at_ = end;
        return true;
    }

    template <size_t kCount>
    bool name(const std::array<std::string_view, kCount>& names, int64_t& out) {
        for (size_t i = 0; i < names.size(); ++i) {
            for (const std::string_view word : {names.at(i), names.at(i).substr(0, 3)}) {
                if (!equals_ignoring_case(text_.substr(at_, word.size()), word)) continue;
                at_ += word.size();
                out = static_cast<int64_t>(i) + 1;
                return true;
            }
        }
        return false;
    }

    bool fraction() {
        const size_t begin = at_;
        if (!number(6, micro_)) return false;
        for (size_t digits = at_ - begin; digits < 6; ++digits) micro_ *= 10;
        return true;
    }

    bool half_of_day() {
        const std::string_view word = text_.substr(at_, 2);
        if (!equals_ignoring_case(word, "AM") && !equals_ignoring_case(word, "PM")) return false;
        is_pm_ = equals_ignoring_case(word, "PM");
        at_ += 2;
        return true;
    }

    bool offset() {
        if (at_ < text_.size() && text_[at_] == 'Z') {
            ++at_;
            zone_ = utc_zone();
            return true;
        }
        if (at_ >= text_.size() || (text_[at_] != '+' && text_[at_] != '-')) return false;
        const bool is_west = text_[at_++] == '-';
        int64_t hours = 0;
        int64_t minutes = 0;
        if (!number(2, hours)) return false;
        if (at_ < text_.size() && text_[at_] == ':') ++at_;
        if (!number(2, minutes)) return false;
        const auto seconds = static_cast<int32_t>((hours * 60 + minutes) * 60);
        zone_ = fixed_zone(is_west ? -seconds : seconds);
        return true;
    }

    bool directive(char letter) {
        int64_t ignored = 0;
        switch (letter) {
            case 'Y': return number(4, year_);
            case 'y':
                if (!number(2, year_)) return false;
                year_ += year_ < 69 ? 2000 : 1900;
                return true;
            case 'm': return number(2, month_);
            case 'd': return number(2, day_);
            case 'H':
            case 'I': return number(2, hour_);
            case 'M': return number(2, minute_);
            case 'S': return number(2, second_);
            case 'f': return fraction();
            case 'p': return half_of_day();
            case 'b':
            case 'B': return name(kMonths, month_);
            case 'a':
            case 'A': return name(kDays, ignored);
            case 'z': return offset();
            case '%': return at_ < text_.size() && text_[at_++] == '%';
            default: return false;
        }
    }

    std::string_view text_;
    size_t at_ = 0;
    int64_t year_ = 1900, month_ = 1, day_ = 1, hour_ = 0, minute_ = 0, second_ = 0, micro_ = 0;
    std::optional<bool> is_pm_;
    jinja::Ref<Zone> zone_;
};

}  // namespace

std::string format_moment(const Moment& moment, std::string_view format) {
    const Civil c = civil_of(moment.local_micros());
    std::string text;
    for (size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%' || i + 1 == format.size()) {
            text += format[i];
            continue;
        }
        // "%-d" is a number without zeros before it, as on Linux.
        if (format[i + 1] == '-' && i + 2 < format.size()) {
            std::string part = directive(format[i += 2], moment, c);
            const size_t digit = std::min(part.find_first_not_of("0 "), part.size() - 1);
            text += part.substr(digit);
            continue;
        }
        text += directive(format[++i], moment, c);
    }
    return text;
}

std::optional<jinja::Value> parse_moment(std::string_view text, std::string_view format) {
    return MomentReader(text).read(format);
}

}  // namespace shaduf::models
