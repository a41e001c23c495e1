#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/connectors/ads_world.h"

namespace shaduf {
extern const ConnectorSpec connector_google_ads;

// Answers as the API of Google Ads on a scripted transport: signing in, the catalogue of fields, one manager with two
// accounts and a closed one; queries are answered by the test.
class GoogleFake {
public:
    static constexpr std::string_view kConnection =
        "{client_id: 1-a.apps, client_secret: hush, refresh_token: hush-hush, base_url: http://api.test, "
        "token_url: http://api.test/token}";

    explicit GoogleFake(FakeHttp& http) {
        http.expect("POST /token").answer([this](const HttpRequest& r) { return answer_token(r); }).repeat();
        http.expect("GET /v26/customers:listAccessibleCustomers").reply(listed).repeat();
        http.expect("POST /v26/googleAdsFields:search").answer([](const HttpRequest&) { return catalogue(); }).repeat();
        for (const char* id : {"1000000000", "1000000001", "1000000002"}) {
            http.expect("POST /v26/customers/" + std::string(id) + "/googleAds:searchStream")
                .answer([this](const HttpRequest& r) { return answer_query(r); })
                .repeat();
        }
    }

    // What a query is answered; customer_client is the fake's own.
    using Answer = std::function<Result<HttpResponse>(const std::string& customer, const std::string& query)>;
    Answer on_query = [](const std::string&, const std::string&) { return ok("[]"); };
    Result<HttpResponse> token = ok(R"({"access_token":"t1","expires_in":3599,"token_type":"Bearer"})");
    std::string clients =
        R"([{"results":[
          {"customerClient":{"resourceName":"a","id":"1000000000","manager":true,"status":"ENABLED"}},
          {"customerClient":{"resourceName":"b","level":"1","id":"1000000001","descriptiveName":"Shop",
            "timeZone":"Europe/Berlin","currencyCode":"EUR","status":"ENABLED"}},
          {"customerClient":{"resourceName":"c","level":"1","id":"1000000002","timeZone":"Asia/Tokyo",
            "currencyCode":"JPY","status":"ENABLED"}},
          {"customerClient":{"resourceName":"d","level":"1","id":"1000000003","descriptiveName":"Old",
            "status":"CANCELED"}}
        ]}])";
    std::vector<std::string> queries;  // those of on_query, "customer: query"
    std::vector<HttpRequest> tokens;

    static HttpResponse ok(std::string_view body) { return FakeHttp::make_response(200, {}, body); }
    // One element with these rows.
    static std::string stream_of(const std::vector<std::string>& rows) {
        std::string list;
        for (const std::string& row : rows) list += (list.empty() ? "" : ",\n") + row;
        return "[{\"results\":[" + list + "],\"fieldMask\":\"a\",\"requestId\":\"r\"}]";
    }
    static HttpResponse error(int status, const std::string& type, const std::string& code,
                              const std::string& more = "") {
        return FakeHttp::make_response(status, {}, "[{\"error\":" + error_object(status, type, code, more) + "}]");
    }
    static std::string error_object(int status, const std::string& type, const std::string& code,
                                    const std::string& more = "") {
        return R"({"code":)" + std::to_string(status) +
               R"(,"message":"m","status":"S","details":[{"@type":"t","errors":[{"errorCode":{")" + type + R"(":")" +
               code + R"("},"message":"said so")" + more + R"(}],"requestId":"req-1"}]})";
    }

private:
    static inline const std::string listed = R"({"resourceNames":["customers/1000000000","customers/1000000001"]})";

    Result<HttpResponse> answer_token(const HttpRequest& request) {
        tokens.push_back(request);
        return token;
    }
    static HttpResponse catalogue() {
        nlohmann::json results = nlohmann::json::array();
        const auto add = [&](const char* name, const char* category, const char* type, bool repeated = false) {
            results.push_back({{"name", name}, {"category", category}, {"dataType", type}, {"isRepeated", repeated}});
        };
        for (const char* name : {"campaign.id", "customer.id", "ad_group.id", "ad_group_criterion.criterion_id"})
            add(name, "ATTRIBUTE", "INT64");
        add("campaign.name", "ATTRIBUTE", "STRING");
        add("campaign.status", "ATTRIBUTE", "ENUM");
        add("campaign.labels", "ATTRIBUTE", "RESOURCE_NAME", true);
        add("campaign.start_date", "ATTRIBUTE", "DATE");
        add("ad_group.cpc_bid_micros", "ATTRIBUTE", "INT64");
        add("segments.date", "SEGMENT", "DATE");
        add("segments.device", "SEGMENT", "ENUM");
        add("metrics.clicks", "METRIC", "INT64");
        add("metrics.cost_micros", "METRIC", "INT64");
        add("metrics.average_cpc", "METRIC", "DOUBLE");
        add("metrics.conversions", "METRIC", "DOUBLE");
        return ok(nlohmann::json{{"results", results}}.dump());
    }
    Result<HttpResponse> answer_query(const HttpRequest& request) {
        const std::string query = nlohmann::json::parse(request.body)["query"];
        if (query.find("FROM customer_client") != std::string::npos) return ok(clients);
        const auto begin = request.url.find("customers/") + 10;
        const std::string customer = request.url.substr(begin, request.url.find('/', begin) - begin);
        queries.push_back(customer + ": " + query);
        return on_query(customer, query);
    }
};

}  // namespace shaduf
