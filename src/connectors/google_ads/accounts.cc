#include "connectors/google_ads/accounts.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "base/run_events.h"
#include "base/text.h"
#include "connectors/google_ads/failure.h"

namespace shaduf::google_ads {
namespace {

using nlohmann::json;

constexpr std::string_view kClientsQuery =
    "SELECT customer_client.id, customer_client.descriptive_name, customer_client.manager, customer_client.level, "
    "customer_client.time_zone, customer_client.currency_code, customer_client.status FROM customer_client";

struct Found {
    ads::Account account;
    std::string status;
    bool is_manager = false;
};

Result<Found> read_client(std::string_view row, const std::string& root) {
    const json document = json::parse(row, nullptr, false);
    const json client = document.is_object() ? document.value("customerClient", json()) : json();
    if (!client.is_object())
        return Error(ErrorKind::bad_data,
                     "row of customer_client has no customerClient: " + make_valid_utf8(row.substr(0, 200)));
    const auto text = [&](const char* name) {
        const auto found = client.find(name);
        if (found == client.end()) return std::string();
        return found->is_string() ? found->get<std::string>() : found->dump();
    };
    Found found;
    found.account = {text("id"), text("descriptiveName"), text("timeZone"), text("currencyCode"), ""};
    found.status = text("status");
    found.is_manager = text("manager") == "true";
    // An account that is reached directly needs no manager named.
    if (found.account.id != root) found.account.owner = root;
    return found;
}

class Walk {
public:
    Walk(RunContext& run, const Api& api) : run_(run), api_(api) {}

    Result<std::vector<ads::Account>> find() {
        const ApiSettings& settings = api_.settings();
        std::vector<std::string> roots;
        if (!settings.login_customer_id.empty())
            roots.push_back(settings.login_customer_id);
        else
            roots = TRY(api_.accessible_customers(run_));
        for (const std::string& root : roots) TRY(walk(root));
        TRY(check_wanted());
        std::vector<ads::Account> accounts;
        for (const auto& [id, found] : found_) {
            if (found.is_manager || !is_wanted(id)) continue;
            if (found.status == "ENABLED" || found.status.empty())
                accounts.push_back(found.account);
            else
                warn("account " + id + " (" + found.account.name + ") is left out: it is " + found.status);
        }
        if (accounts.empty())
            return Error(ErrorKind::invalid_config,
                         "no account with numbers is reached by these credentials; give the Google user access to one, "
                         "or set login_customer_id to its manager account");
        return accounts;
    }

private:
    Result<void> walk(const std::string& root) {
        // Where a manager is walked, whoever is below it is found already.
        if (const auto known = found_.find(root); known != found_.end() && !known->second.is_manager) return {};
        auto rows = api_.rows(run_, {root, root}, std::string(kClientsQuery));
        if (!rows.ok() && says_not_enabled(rows.error())) {
            warn("account " + root + " is left out: it is not enabled, or was closed");
            return {};
        }
        for (const std::string& row : TRY(std::move(rows))) {
            Found found = TRY(read_client(row, root));
            const std::string id = found.account.id;
            const auto [at, is_new] = found_.emplace(id, found);
            if (!is_new && id == root) at->second = std::move(found);
        }
        return {};
    }

    bool is_wanted(const std::string& id) const {
        const auto& wanted = api_.settings().customer_ids;
        return wanted.empty() || std::find(wanted.begin(), wanted.end(), id) != wanted.end();
    }

    Result<void> check_wanted() const {
        std::vector<std::string> known;
        for (const auto& [id, found] : found_) {
            if (!found.is_manager) known.push_back(id);
        }
        for (const std::string& id : api_.settings().customer_ids) {
            const auto found = found_.find(id);
            if (found == found_.end())
                return Error(ErrorKind::invalid_config,
                             "customer_ids: account not reached by these credentials: " + id + did_you_mean(id, known));
            if (found->second.is_manager)
                return Error(ErrorKind::invalid_config,
                             "customer_ids: a manager account has no numbers: " + id +
                                 "; list its client accounts, or set it as login_customer_id");
        }
        return {};
    }

    void warn(const std::string& text) { run_.events.message(Severity::warning, api_.settings().connection, text); }

    RunContext& run_;
    const Api& api_;
    std::map<std::string, Found> found_;  // by id, so that the order is the same in every run
};

}  // namespace

Result<std::vector<ads::Account>> find_accounts(RunContext& run, const Api& api) {
    const ApiSettings& settings = api.settings();
    std::string key = "google_ads accounts " + settings.connection + " " + settings.base_url + " " + settings.version +
                      " " + fingerprint(settings.credentials) + " " + settings.login_customer_id + " " +
                      join(settings.customer_ids, ",");
    const auto found = TRY(run.shared.get<std::vector<ads::Account>>(key, [&] { return Walk(run, api).find(); }));
    return *found;
}

}  // namespace shaduf::google_ads
