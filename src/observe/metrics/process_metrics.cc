#include "observe/metrics/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/text.h"

namespace shaduf::observe {
namespace {

std::string read_whole(const char* path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

std::optional<double> number_of(std::string_view text) {
    double value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    return parsed.ec == std::errc{} ? std::optional(value) : std::nullopt;
}

// When the machine began, since 1970.
std::optional<double> boot_time() {
    const std::string text = read_whole("/proc/stat");
    const size_t at = text.find("\nbtime ");
    return at == std::string::npos ? std::nullopt : number_of(std::string_view(text).substr(at + 7));
}

}  // namespace

void collect_process(MetricPage& page) {
    // proc(5): what stands behind the name, which may have spaces and brackets, begins with the third field.
    const std::string stat = read_whole("/proc/self/stat");
    const size_t bracket = stat.rfind(')');
    if (bracket != std::string::npos && bracket + 2 < stat.size()) {
        const auto fields = split(std::string_view(stat).substr(bracket + 2), ' ');
        const auto field = [&](size_t number) -> std::optional<double> {
            return number - 3 < fields.size() ? number_of(fields[number - 3]) : std::nullopt;
        };
        const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
        const auto page_bytes = static_cast<double>(::sysconf(_SC_PAGESIZE));
        const auto user = field(14), system = field(15), threads = field(20), began = field(22);
        const auto mapped = field(23), resident = field(24);
        if (resident) page.set(metric::process_memory, {}, *resident * page_bytes);
        if (mapped) page.set(metric::process_virtual, {}, *mapped);
        if (user && system) page.set(metric::process_cpu, {}, (*user + *system) / ticks);
        if (threads) page.set(metric::process_threads, {}, *threads);
        const auto boot = boot_time();
        if (boot && began) page.set(metric::process_started, {}, *boot + *began / ticks);
    }
    std::error_code failed;
    double files = 0;
    for (std::filesystem::directory_iterator at("/proc/self/fd", failed), end; !failed && at != end;
         at.increment(failed))
        ++files;
    if (!failed) page.set(metric::process_files, {}, files);
    ::rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        page.set(metric::process_files_max, {}, static_cast<double>(limit.rlim_cur));
    }
}

}  // namespace shaduf::observe
