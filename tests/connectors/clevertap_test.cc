#include "base/time.h"
#include "connectors/clevertap/fetchers.h"
#include "connectors/clevertap/rows.h"
#include "tests/connectors/ads_world.h"

namespace shaduf {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

clevertap::ConnectionSettings project(std::string zone = "Asia/Kolkata") {
    clevertap::ConnectionSettings settings;
    settings.base_url = "https://c.test";
    settings.passcode = "s3cr3t";
    settings.project = {.id = "P1", .name = "", .time_zone = std::move(zone), .currency = "INR", .owner = ""};
    return settings;
}

std::string success(const std::string& members) { return R"({"status":"success",)" + members + "}"; }
constexpr const char* kNotReady =
    R"({"status":"fail","error":"Request still in progress, please retry later.","code":2})";

class CleverTap : public testing::Test {
protected:
    FakeOutput fetch(ads::SliceFetcher& stream, const std::string& part, ads::DayRange range) {
        const ads::Slice slice{.account = project().project, .part = part, .days = range, .cursor = cursor};
        FakeOutput out(stream, slice);
        const auto done = stream.fetch(world.run, slice, memory, out);
        error = done.ok() ? std::nullopt : std::optional(done.error());
        return out;
    }
    FakeOutput events() {
        fetcher = clevertap::make_event_fetcher(api, {.events = {"Charged"}});
        return fetch(*fetcher, "Charged", days("2026-01-01", "2026-01-02"));
    }
    std::string message() const { return error ? error->to_string() : ""; }

    World world;
    ads::Memory memory;
    std::shared_ptr<const clevertap::Api> api = std::make_shared<const clevertap::Api>(project());
    std::unique_ptr<ads::SliceFetcher> fetcher;
    std::string cursor;
    std::optional<Error> error;
};

TEST_F(CleverTap, AnExportIsFollowedToItsEnd) {
    world.http.expect("POST /1/events.json?batch_size=5000")
        .reply(kNotReady)
        .reply(success(R"("cursor":"AfB%2Bx%3D%3D")"));
    world.http.expect("GET /1/events.json?cursor=AfB%2Bx%3D%3D")
        .reply(kNotReady)
        .reply(kNotReady)
        .reply(success(R"("next_cursor":"n2","records":[])"));
    world.http.expect("GET /1/events.json?cursor=n2")
        .reply(
            success(R"("records":[{"profile":{"objectId":"o1","identity":5,"email":"a@b.c","profileData":{"Plan":"x"},)"
                    R"("all_identities":["5"]},"ts":20260101233000,"event_props":{"Amount":12.5}}])"));
    FakeOutput out = events();
    EXPECT_EQ(message(), "");
    EXPECT_THAT(world.http.unused(), IsEmpty());
    EXPECT_THAT(world.clock.slept(), ElementsAre(seconds(2), seconds(2), seconds(4)));
    const auto requests = world.http.requests();
    EXPECT_EQ(requests[0].body, R"({"event_name":"Charged","from":20260101,"to":20260102})");
    EXPECT_EQ(FakeHttp::header(requests[0], "X-CleverTap-Account-Id"), "P1");
    EXPECT_EQ(FakeHttp::header(requests[0], "X-CleverTap-Passcode"), "s3cr3t");
    const auto rows = out.typed_rows();
    ASSERT_THAT(rows, SizeIs(1));
    for (const char* part :
         {R"("account_id":"P1","account_time_zone":"Asia/Kolkata","account_currency":"INR")", R"("event":"Charged")",
          R"("date":"2026-01-01","time":"2026-01-01T18:00:00Z","ts":20260101233000)", R"("profile__identity":"5")",
          R"("profile__object_id":"o1")", R"("profile__profile_data":{"Plan":"x"})",
          R"("event_props":{"Amount":12.5})"})
        EXPECT_THAT(rows[0], HasSubstr(part));
    EXPECT_THAT(out.rejected, IsEmpty());
}

TEST_F(CleverTap, ACursorThatComesTwiceIsAnError) {
    world.http.expect("POST /1/events.json").reply(success(R"("cursor":"a")"));
    world.http.expect("GET /1/events.json?cursor=a").reply(success(R"("next_cursor":"b","records":[])"));
    world.http.expect("GET /1/events.json?cursor=b").reply(success(R"("next_cursor":"a","records":[])"));
    events();
    EXPECT_THAT(message(), HasSubstr("the same cursor came twice"));
    EXPECT_FALSE(error->may_retry());
}

TEST_F(CleverTap, AnEventThatIsNotExportedIsSkipped) {
    world.http.expect("POST /1/events.json")
        .reply(400, R"({"status":"fail","error":"Export not allowed for this event","code":400})");
    const FakeOutput out = events();
    EXPECT_EQ(message(), "");
    EXPECT_THAT(out.skipped, HasSubstr("exports no events of this name: Charged"));
}

TEST_F(CleverTap, EveryClassOfErrorSaysWhatToDo) {
    struct Case {
        int status;
        const char* body;
        ErrorKind kind;
        const char* says;
        bool may_retry;
    };
    const Case cases[] = {
        {400, R"({"status":"fail","error":"Invalid event name","code":513})", ErrorKind::invalid_config,
         "Invalid event name (code 513); check event", false},
        {200, R"({"status":"fail","error":"Payload malformed","code":509})", ErrorKind::invalid_config,
         "Payload malformed", false},
        {400, R"({"status":"fail","error":"Invalid cursor","code":400})", ErrorKind::unavailable, "begins anew", true},
        {401, R"({"status":"fail","error":"Invalid Credentials"})", ErrorKind::auth, "and region", false},
        {403, "<html>no</html>", ErrorKind::auth, "allow this passcode", false},
        {500, "oops", ErrorKind::unavailable, "HTTP 500", true},
        {503, R"({"status":"fail"})", ErrorKind::unavailable, "HTTP 503", true},
        {200, "<html>hello</html>", ErrorKind::unavailable, "no JSON", true},
        {200, R"({"status":"success"})", ErrorKind::bad_data, "neither a cursor nor an error", false},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.body);
        World fresh;
        fresh.http.expect("POST /1/events.json").reply(one.status, one.body).repeat();
        const auto done =
            api->export_records(fresh.run, "events", "{}", "", [](const BufferPtr&) -> Result<void> { return {}; });
        ASSERT_FALSE(done.ok());
        EXPECT_EQ(done.error().kind(), one.kind) << done.error().to_string();
        EXPECT_EQ(done.error().may_retry(), one.may_retry);
        EXPECT_THAT(done.error().to_string(), AllOf(HasSubstr(one.says), Not(HasSubstr("s3cr3t"))));
    }
}

TEST_F(CleverTap, TooManyAtOnceWaitsAndGoesOn) {
    world.http.expect("POST /1/events.json")
        .reply(429, R"({"status":"fail","error":"Too many concurrent requests"})")
        .reply(success(R"("cursor":"a")"));
    world.http.expect("GET /1/events.json?cursor=a").reply(success(R"("records":[])"));
    events();
    EXPECT_EQ(message(), "");
    EXPECT_THAT(world.clock.slept(), ElementsAre(seconds(5)));
}

TEST_F(CleverTap, AnExportThatIsNeverReadyEnds) {
    world.http.expect("POST /1/events.json").reply(kNotReady).repeat();
    events();
    EXPECT_THAT(message(), HasSubstr("not ready after an hour"));
    EXPECT_FALSE(error->may_retry());
}

TEST_F(CleverTap, RecordsThatCannotBePlacedGoToQuarantine) {
    world.http.expect("POST /1/events.json").reply(success(R"("cursor":"a")"));
    world.http.expect("GET /1/events.json?cursor=a")
        .reply(success(R"("records":[{"ts":20260101000000},{"ts":null},{"ts":20260103000000},{"ts":"20260102235959"},)"
                       R"({"ts":20261301000000},7])"));
    FakeOutput out = events();
    EXPECT_EQ(message(), "");
    EXPECT_THAT(out.typed_rows(), SizeIs(2));
    EXPECT_THAT(out.rejected, ElementsAre(HasSubstr("ts is missing"), HasSubstr("not asked for"),
                                          HasSubstr("event has no time: ts is 20261301000000"), HasSubstr("no time")));
}

// The clock shows an hour twice, or never.
TEST(CleverTapTime, IsOfTheProjectsZone) {
    struct Case {
        const char* raw;
        const char* zone;
        const char* utc;  // nullptr: it is none
    };
    const Case cases[] = {
        {"20260101233000", "Asia/Kolkata", "2026-01-01T18:00:00Z"},
        {"\"202601012330\"", "Asia/Kolkata", "2026-01-01T18:00:00Z"},
        {"20260701120000", "Europe/Berlin", "2026-07-01T10:00:00Z"},
        {"20261025023000", "Europe/Berlin", "2026-10-25T00:30:00Z"},  // twice: the first time
        {"20261025033000", "Europe/Berlin", "2026-10-25T02:30:00Z"},
        {"20260329023000", "Europe/Berlin", "2026-03-29T01:30:00Z"},  // never
        {"20260329033000", "Europe/Berlin", "2026-03-29T01:30:00Z"},
        {"20260101", "UTC", nullptr},
        {"20260230000000", "UTC", nullptr},
        {"2026010123300x", "UTC", nullptr},
        {"", "UTC", nullptr},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.raw);
        const auto time = clevertap::read_local_time(one.raw, ads::Zone::find(one.zone).value());
        ASSERT_EQ(time.has_value(), one.utc != nullptr);
        if (time.has_value()) {
            EXPECT_EQ(format_timestamp(time->time), one.utc);
        }
    }
}

TEST_F(CleverTap, ProfilesBeginWhereTheLoadBeforeEnded) {
    fetcher = clevertap::make_profile_fetcher(api, {.events = {"App Launched"}}, "40d");
    world.http.expect("POST /1/profiles.json").reply(success(R"("cursor":"a")")).reply(success(R"("cursor":"a")"));
    world.http.expect("GET /1/profiles.json?cursor=a")
        .reply(success(R"("records":[{"identity":"i1","email":"x@y.z","profileData":{"a":1},"platformInfo":)"
                       R"([{"objectId":"o1"}]},{"objectId":"o2"},{"profileData":{}}])"))
        .reply(success(R"("records":[])"));
    FakeOutput out = fetch(*fetcher, "App Launched", days("2026-01-01", "2026-01-02"));
    EXPECT_EQ(message(), "");
    EXPECT_EQ(out.cursor, "2026-01-02");
    EXPECT_EQ(world.http.requests()[0].body, R"({"event_name":"App Launched","from":20251123,"to":20251222})");
    EXPECT_EQ(world.http.requests()[2].body, R"({"event_name":"App Launched","from":20251223,"to":20260102})");
    const auto rows = out.typed_rows();
    EXPECT_THAT(rows, ElementsAre(HasSubstr(R"("profile_id":"i1")"), HasSubstr(R"("profile_id":"o2")")));
    EXPECT_THAT(out.rejected, ElementsAre(HasSubstr("no objectId, identity or email")));

    world.http.expect("POST /1/profiles.json").reply(success(R"("cursor":"b")"));
    world.http.expect("GET /1/profiles.json?cursor=b").reply(success(R"("records":[])"));
    cursor = "2026-01-01";
    fetch(*fetcher, "App Launched", days("2026-01-01", "2026-01-02"));
    EXPECT_EQ(world.http.requests()[4].body, R"({"event_name":"App Launched","from":20260101,"to":20260102})");
}

TEST_F(CleverTap, CountsMayTakeTheirTime) {
    fetcher = clevertap::make_count_fetcher(api, {"Charged"});
    world.http.expect("POST /1/counts/events.json")
        .reply(R"({"status":"partial","req_id":"r 1"})")
        .reply(success(R"("count":7138)"));
    world.http.expect("GET /1/counts/events.json?req_id=r%201")
        .reply(R"({"status":"partial","req_id":"r 1"})")
        .reply(success(R"("count":0)"));
    FakeOutput out = fetch(*fetcher, "Charged", days("2026-01-01", "2026-01-02"));
    EXPECT_EQ(message(), "");
    EXPECT_THAT(out.rows(), ElementsAre(HasSubstr(R"("event":"Charged","date":"2026-01-01","count":0})"),
                                        HasSubstr(R"("date":"2026-01-02","count":7138})")));
}

TEST_F(CleverTap, CampaignsComeWithTheirResults) {
    fetcher = clevertap::make_campaign_fetcher(api);
    world.http.expect("POST /1/targets/list.json")
        .reply(success(R"("targets":[{"id":1,"name":"a","scheduled_on":202601011500,"status":"completed"},)"
                       R"({"id":2,"name":"b","scheduled_on":202601021500,"status":"pending"},)"
                       R"({"id":3,"name":"c","scheduled_on":202601011600,"status":"completed"},)"
                       R"({"id":4,"name":"d","scheduled_on":202601011700,"status":"running"},)"
                       R"({"id":5,"name":"e","scheduled_on":"soon","status":"pending"}])"));
    world.http.expect("POST /1/targets/result.json")
        .reply(success(R"("result":{"sent":10,"viewed":8,"clicked":2})"))
        .reply(500, R"({"status":"fail","error":"This target has no result as of yet"})")
        .reply(success(R"("id":4)"));
    FakeOutput out = fetch(*fetcher, "", days("2026-01-01", "2026-01-02"));
    EXPECT_EQ(message(), "");
    EXPECT_EQ(world.http.requests()[0].body, R"({"from":20260101,"to":20260102})");
    EXPECT_EQ(world.http.requests()[1].body, R"({"id":1})");
    EXPECT_THAT(out.typed_rows(),
                ElementsAre(AllOf(HasSubstr(R"("id":"1")"), HasSubstr(R"("result__sent":10,"result__viewed":8)"),
                                  HasSubstr(R"("time":"2026-01-01T09:30:00Z")")),
                            AllOf(HasSubstr(R"("id":"2")"), HasSubstr(R"("result__sent":null)")),
                            HasSubstr(R"("id":"3")"), HasSubstr(R"("id":"4")")));
    EXPECT_THAT(out.rejected, ElementsAre(HasSubstr("scheduled_on is")));
}

TEST_F(CleverTap, MessagesAreAskedForByTheDay) {
    fetcher = clevertap::make_message_fetcher(api);
    world.http.expect("POST /1/message/report.json")
        .reply(success(R"("messages":[{"message id":17,"message_name":"Hi","data":[{"sent":3}]}])"))
        .reply(success(R"("total_results":0)"));
    FakeOutput out = fetch(*fetcher, "", days("2026-01-01", "2026-01-02"));
    EXPECT_EQ(message(), "");
    EXPECT_EQ(world.http.requests()[1].body, R"({"from":"20260102","to":"20260102"})");
    EXPECT_THAT(out.typed_rows(),
                ElementsAre(AllOf(HasSubstr(R"("date":"2026-01-01")"), HasSubstr(R"("message_id":"17")"))));
}

}  // namespace
}  // namespace shaduf
