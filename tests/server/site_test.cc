// Who may call, and what a foreign page, a foreign name or a missing token comes to: the OWASP basics without sockets.
#include "server/site.h"

#include "observe/metrics/metrics.h"
#include "server/gate.h"
#include "tests/server/serve_fixture.h"

namespace shaduf::server {
namespace {

using testing::HasSubstr;

constexpr const char* kPassword = "correct horse";

class SiteTest : public ServeFixture {
protected:
    void add(const std::string& name, Role role) {
        ASSERT_TRUE(users->add({.name = name, .role = role}, kPassword).ok());
    }
    HttpServerResponse send(const std::string& method, const std::string& path, HttpHeaders headers = {},
                            const std::string& body = "") {
        HttpServerRequest request;
        request.method = method;
        request.target = request.path = path;
        request.headers = {{"Host", "localhost:8200"}};
        if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
        for (auto& header : headers) {
            if (header.first == "Host") request.headers.erase(request.headers.begin());
            request.headers.push_back(std::move(header));
        }
        request.body = body;
        request.address = "127.0.0.1";
        return Site(*router, *serve, (folder.path() / "ui").string()).handle(request);
    }
    static std::string header(const HttpServerResponse& response, std::string_view name) {
        for (const auto& [key, value] : response.headers) {
            if (key == name) return value;
        }
        return "";
    }
    // The cookie of a session, and its token against forged requests.
    std::pair<std::string, std::string> sign_in(const std::string& name, const std::string& password = kPassword) {
        const auto answer =
            send("POST", "/api/v1/session", {}, nlohmann::json{{"name", name}, {"password", password}}.dump());
        if (answer.status != 200) return {};
        const std::string cookie = header(answer, "Set-Cookie");
        return {cookie.substr(0, cookie.find(';')), nlohmann::json::parse(answer.body)["csrf"]};
    }
};

TEST_F(SiteTest, WithoutUsersWhoeverIsOnTheMachineMayDoAll) {
    const auto me = nlohmann::json::parse(send("GET", "/api/v1/me").body);
    EXPECT_EQ(me["name"], "local");
    EXPECT_EQ(me["role"], "admin");
    EXPECT_EQ(me["needs_sign_in"], false);
    EXPECT_EQ(me["project"], "acme");
    EXPECT_EQ(me["environments"], nlohmann::json({"dev"}));
    EXPECT_EQ(me["warehouse"]["type"], "duckdb");
    EXPECT_EQ(send("GET", "/api/v1/users").status, 200);
    add("ada", Role::admin);
    EXPECT_EQ(send("GET", "/api/v1/users").status, 401);
    EXPECT_EQ(nlohmann::json::parse(send("GET", "/api/v1/me").body)["role"], "nobody");
}

TEST_F(SiteTest, WithoutUsersAForeignNameReachesNothing) {
    for (const char* host : {"evil.example", "evil.example:8200", "127.0.0.1.evil.example", "localhost.evil.example",
                             "", "[::1", "10.0.0.1", "localhost@evil.example"}) {
        SCOPED_TRACE(host);
        EXPECT_EQ(send("GET", "/api/v1/me", {{"Host", host}}).status, 421);
    }
    for (const char* host : {"localhost", "LOCALHOST:1", "127.0.0.1:8200", "127.1.2.3", "[::1]:8200"}) {
        SCOPED_TRACE(host);
        EXPECT_EQ(send("GET", "/api/v1/me", {{"Host", host}}).status, 200);
    }
    serve->is_loopback = false;
    EXPECT_EQ(send("GET", "/api/v1/users").status, 401) << "no user, but other machines reach it";
}

TEST_F(SiteTest, MetricsAreForViewers) {
    EXPECT_EQ(send("GET", "/metrics").status, 404) << "nothing is counted";
    observe::Metrics metrics;
    serve->metrics = &metrics;
    EXPECT_EQ(send("GET", "/metrics").status, 200) << "without users, to whoever is on the machine";
    EXPECT_EQ(send("GET", "/metrics", {{"Host", "evil.example"}}).status, 421);
    EXPECT_EQ(send("GET", "/metrics", {{"Sec-Fetch-Site", "cross-site"}}).status, 403);
    EXPECT_EQ(send("DELETE", "/metrics").status, 405);
    add("ada", Role::admin);
    const auto refused = send("GET", "/metrics");
    EXPECT_EQ(refused.status, 401);
    EXPECT_EQ(header(refused, "WWW-Authenticate"), "Bearer");
    const auto token = users->add_token({.name = "prometheus", .role = Role::viewer}).release_value();
    const std::string bearer = "Bearer " + token.secret;
    EXPECT_EQ(send("GET", "/metrics", {{"Authorization", bearer}}).status, 200);
    EXPECT_EQ(send("GET", "/metrics", {{"Authorization", "Bearer no"}}).status, 401);
    EXPECT_EQ(send("GET", "/metrics", {{"Cookie", sign_in("ada").first}}).status, 200);
    serve->are_metrics_open = true;
    EXPECT_EQ(send("GET", "/metrics", {{"Host", "10.0.0.1"}}).status, 200);
    EXPECT_EQ(send("GET", "/api/v1/runs").status, 401) << "only the metrics are open";
}

TEST_F(SiteTest, AnswersAreCountedByTheirEndpoint) {
    observe::Metrics metrics;
    serve->metrics = &metrics;
    for (const char* path : {"/api/v1/runs/a", "/api/v1/runs/b", "/api/v1/runs/c%2Fd"}) send("GET", path);
    send("GET", "/api/v1/nothing/there");
    send("GET", "/healthz");
    send("BREW", "/pot");
    EXPECT_EQ(metrics.value(observe::metric::http_requests, {"getRun", "GET", "404"}), 3);
    EXPECT_EQ(metrics.value(observe::metric::http_requests, {"unknown", "GET", "404"}), 1);
    EXPECT_EQ(metrics.value(observe::metric::http_requests, {"healthz", "GET", "200"}), 1);
    EXPECT_EQ(metrics.value(observe::metric::http_requests, {"ui", "other", "405"}), 1);
}

TEST_F(SiteTest, ForeignPagesAreRefused) {
    const struct {
        const char* name;
        const char* value;
        int status;
    } cases[] = {
        {"Sec-Fetch-Site", "cross-site", 403},    {"Sec-Fetch-Site", "same-site", 403},
        {"Sec-Fetch-Site", "same-origin", 200},   {"Sec-Fetch-Site", "none", 200},
        {"Origin", "http://evil.example", 403},   {"Origin", "null", 403},
        {"Origin", "http://localhost", 403},      {"Origin", "http://localhost:8201", 403},
        {"Origin", "http://localhost:8200", 200},
    };
    for (const auto& [name, value, status] : cases) {
        SCOPED_TRACE(std::string(name) + ": " + value);
        EXPECT_EQ(send("GET", "/api/v1/users", {{name, value}}).status, status);
    }
}

TEST_F(SiteTest, ASessionChangesNothingWithoutItsToken) {
    add("ada", Role::admin);
    add("bob", Role::admin);
    const auto [cookie, csrf] = sign_in("ada");
    const auto [other_cookie, other_csrf] = sign_in("bob");
    ASSERT_FALSE(cookie.empty());
    const std::string body = R"({"name": "ci", "role": "viewer"})";
    EXPECT_EQ(send("GET", "/api/v1/tokens", {{"Cookie", cookie}}).status, 200);
    EXPECT_EQ(send("POST", "/api/v1/tokens", {{"Cookie", cookie}}, body).status, 403);
    EXPECT_EQ(send("POST", "/api/v1/tokens", {{"Cookie", cookie}, {"X-CSRF-Token", "x"}}, body).status, 403);
    EXPECT_EQ(send("POST", "/api/v1/tokens", {{"Cookie", cookie}, {"X-CSRF-Token", other_csrf}}, body).status, 403);
    EXPECT_EQ(send("POST", "/api/v1/tokens", {{"Cookie", "a=b; " + cookie}, {"X-CSRF-Token", csrf}}, body).status, 201);
    EXPECT_EQ(nlohmann::json::parse(send("GET", "/api/v1/me", {{"Cookie", cookie}}).body)["csrf"], csrf);
    EXPECT_EQ(send("DELETE", "/api/v1/session", {{"Cookie", cookie}, {"X-CSRF-Token", csrf}}).status, 204);
    EXPECT_EQ(send("GET", "/api/v1/tokens", {{"Cookie", cookie}}).status, 401);
}

TEST_F(SiteTest, CookiesAreForThisSiteAlone) {
    add("ada", Role::admin);
    const std::string body = nlohmann::json{{"name", "ada"}, {"password", kPassword}}.dump();
    const auto plain = header(send("POST", "/api/v1/session", {}, body), "Set-Cookie");
    EXPECT_THAT(plain, testing::EndsWith("; Path=/; HttpOnly; SameSite=Strict"));
    serve->is_tls = true;
    const auto tls = header(send("POST", "/api/v1/session", {}, body), "Set-Cookie");
    EXPECT_THAT(tls, testing::StartsWith("__Host-shaduf_session="));
    EXPECT_THAT(tls, testing::EndsWith("; HttpOnly; SameSite=Strict; Secure"));
    EXPECT_EQ(header(send("GET", "/healthz"), "Strict-Transport-Security"), "max-age=31536000");
}

TEST_F(SiteTest, RefusedSignInsAreAlike) {
    add("ada", Role::admin);
    const auto wrong_password = send("POST", "/api/v1/session", {}, R"({"name": "ada", "password": "wrong password"})");
    const auto wrong_name = send("POST", "/api/v1/session", {}, R"({"name": "bob", "password": "wrong password"})");
    EXPECT_EQ(wrong_password.status, 401);
    EXPECT_EQ(wrong_password.body, wrong_name.body);
    EXPECT_EQ(wrong_password.headers, wrong_name.headers);
    for (int i = 0; i < 4; ++i) send("POST", "/api/v1/session", {}, R"({"name": "ada", "password": "wrong"})");
    const auto waits = send("POST", "/api/v1/session", {}, R"({"name": "ada", "password": "wrong"})");
    EXPECT_EQ(waits.status, 429);
    EXPECT_EQ(header(waits, "Retry-After"), "1");
}

TEST_F(SiteTest, TokensCallByTheirRole) {
    add("ada", Role::admin);
    const auto made = users->add_token({.name = "ci", .role = Role::viewer}).release_value();
    const std::string bearer = "Bearer " + made.secret;
    EXPECT_EQ(send("GET", "/api/v1/runs", {{"Authorization", bearer}}).status, 200);
    EXPECT_EQ(send("GET", "/api/v1/users", {{"Authorization", bearer}}).status, 403);
    EXPECT_EQ(send("GET", "/api/v1/runs", {{"Authorization", "Bearer shaduf_x"}}).status, 401);
    EXPECT_EQ(send("GET", "/api/v1/runs", {{"Authorization", "Basic YTpi"}}).status, 401);
    const auto admin = users->add_token({.name = "boss", .role = Role::admin}).release_value();
    EXPECT_EQ(send("POST", "/api/v1/tokens", {{"Authorization", "Bearer " + admin.secret}},
                   R"({"name": "x", "role": "viewer"})")
                  .status,
              201)
        << "programs need no token against forged requests";
}

TEST_F(SiteTest, SignInsAndChangesAreInTheAuditLog) {
    add("ada", Role::admin);
    sign_in("ada", "wrong password");
    const auto [cookie, csrf] = sign_in("ada");
    send("POST", "/api/v1/users", {{"Cookie", cookie}, {"X-CSRF-Token", csrf}},
         R"({"name": "eve", "password": "0123456789", "role": "viewer"})");
    const auto entries = audit.list({}).release_value();
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries[2].action, "session.refused");
    EXPECT_EQ(entries[1].action, "session.begin");
    EXPECT_EQ(entries[0].action, "user.add");
    EXPECT_EQ(entries[0].actor, "ada");
    EXPECT_EQ(entries[0].address, "127.0.0.1");
    EXPECT_EQ(entries[0].detail, R"({"name":"eve","role":"viewer"})");
    EXPECT_EQ(read(".shaduf/audit.log").find("0123456789\""), std::string::npos);
    const auto listed = nlohmann::json::parse(send("GET", "/api/v1/audit", {{"Cookie", cookie}}).body);
    EXPECT_EQ(listed["items"].size(), 3U);
    const auto verdict = nlohmann::json::parse(send("GET", "/api/v1/audit/verify", {{"Cookie", cookie}}).body);
    EXPECT_EQ(verdict["ok"], true);
}

TEST_F(SiteTest, TheFirstUserMustBeAbleToLetOthersIn) {
    const auto refused = call("POST", "/api/v1/users", R"({"name": "a", "password": "0123456789", "role": "viewer"})");
    EXPECT_EQ(refused.status, 400);
    EXPECT_THAT(refused.response.body, HasSubstr("must be an admin"));
    EXPECT_EQ(call("POST", "/api/v1/users", R"({"name": "a", "password": "0123456789", "role": "admin"})").status, 201);
    EXPECT_EQ(call("PATCH", "/api/v1/users/a", R"({"role": "viewer"})").status, 409);
    EXPECT_EQ(call("DELETE", "/api/v1/users/nobody").status, 404);
    EXPECT_EQ(call("GET", "/api/v1/users").json["items"][0]["name"], "a");
}

TEST_F(SiteTest, TellsWhetherItIsWellAndReady) {
    bool draining = false;
    serve->is_draining = [&] { return draining; };
    EXPECT_EQ(send("GET", "/healthz", {{"Host", "10.0.0.7:8200"}}).status, 200);
    EXPECT_EQ(send("GET", "/readyz").status, 200);
    draining = true;
    EXPECT_EQ(send("GET", "/readyz").status, 503);
    EXPECT_EQ(send("GET", "/healthz").status, 200);
}

TEST_F(SiteTest, ServesTheUi) {
    EXPECT_THAT(send("GET", "/runs/7").body, HasSubstr("scripts/ui"));
    write("ui/index.html", "<html>");
    write("ui/assets/app-1f.js", "plain");
    write("ui/assets/app-1f.js.gz", "zipped");
    write("ui/assets/app-1f.js.br", "brotli");
    write("secret.txt", "secret");
    EXPECT_EQ(send("GET", "/runs/7").body, "<html>");
    EXPECT_EQ(header(send("GET", "/"), "Cache-Control"), "no-cache");
    EXPECT_THAT(header(send("GET", "/"), "Content-Security-Policy"), HasSubstr("default-src 'none'"));
    EXPECT_EQ(header(send("GET", "/"), "X-Content-Type-Options"), "nosniff");
    const struct {
        const char* accepted;
        const char* body;
        const char* coding;
    } cases[] = {{"gzip, deflate, br", "brotli", "br"},
                 {"gzip", "zipped", "gzip"},
                 {"br;q=0, gzip;q=0.5", "zipped", "gzip"},
                 {"", "plain", ""},
                 {"identity", "plain", ""}};
    for (const auto& [accepted, body, coding] : cases) {
        SCOPED_TRACE(accepted);
        const auto answer = send("GET", "/assets/app-1f.js", {{"Accept-Encoding", accepted}});
        EXPECT_EQ(answer.body, body);
        EXPECT_EQ(header(answer, "Content-Encoding"), coding);
        EXPECT_EQ(header(answer, "Content-Type"), "text/javascript; charset=utf-8");
        EXPECT_THAT(header(answer, "Cache-Control"), HasSubstr("immutable"));
    }
    EXPECT_EQ(send("GET", "/assets/gone-2e.js").status, 404) << "never the page instead of a script";
    for (const char* path :
         {"/../secret.txt", "/assets/../../secret.txt", "/..\\secret.txt", "//secret.txt", "/./.env"}) {
        SCOPED_TRACE(path);
        EXPECT_EQ(send("GET", path).body.find("secret"), std::string::npos);
    }
    EXPECT_EQ(send("POST", "/runs").status, 405);
}

}  // namespace
}  // namespace shaduf::server
