#include "flow/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace shaduf {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

using Uses = std::vector<PlaceRequest::Use>;

const Timestamp kNoon{seconds(1'795'300'000)};

PlaceRequest request(PlaceTicket ticket, Uses uses, std::string mutex = "", int priority = 0) {
    return {ticket, std::move(mutex), std::move(uses), priority, kNoon + seconds(ticket)};
}

TEST(PlacesTest, WhoeverFitsGoesInTheOthersInTheirOrder) {
    Places places;
    EXPECT_THAT(places.set_pool("db", 2), IsEmpty());
    EXPECT_THAT(places.enter(request(1, {{"db"}})), ElementsAre(1));
    EXPECT_THAT(places.enter(request(2, {{"db"}})), ElementsAre(2));
    EXPECT_THAT(places.enter(request(3, {{"db"}})), IsEmpty());
    EXPECT_THAT(places.enter(request(4, {{"db"}})), IsEmpty());
    EXPECT_EQ(places.waiting(), 2U);
    EXPECT_EQ(places.pool("db").waiting, 2U);
    EXPECT_THAT(places.leave(2), ElementsAre(3));
    EXPECT_TRUE(places.is_inside(3));
    EXPECT_FALSE(places.is_inside(4));
    EXPECT_THAT(places.leave(4), IsEmpty());  // gave up
    EXPECT_THAT(places.leave(1), IsEmpty());
    EXPECT_THAT(places.leave(3), IsEmpty());
    EXPECT_EQ(places.pool("db").taken, 0U);
}

TEST(PlacesTest, PriorityGoesFirstButWaitingOutweighsIt) {
    Places places;
    places.set_pool("db", 1);
    places.enter(request(1, {{"db"}}));
    places.enter(request(2, {{"db"}}));
    places.enter(request(3, {{"db"}}, "", 5));
    PlaceRequest late = request(4, {{"db"}}, "", 1);
    late.since = kNoon + minutes(11);
    places.enter(late);
    EXPECT_THAT(places.leave(1), ElementsAre(3));
    EXPECT_THAT(places.leave(3), ElementsAre(2));
    EXPECT_THAT(places.leave(2), ElementsAre(4));
}

TEST(PlacesTest, WhoNeedsManyPlacesIsNotPassedByThoseWhoNeedFew) {
    Places places;
    places.set_pool("db", 3);
    places.set_pool("api", 1);
    places.enter(request(1, {{"db"}}));
    EXPECT_THAT(places.enter(request(2, {{"db", 3}})), IsEmpty());
    EXPECT_THAT(places.enter(request(3, {{"db"}})), IsEmpty());
    EXPECT_THAT(places.enter(request(4, {{"api"}})), ElementsAre(4));  // shares no pool with it
    EXPECT_THAT(places.leave(1), ElementsAre(2));
    EXPECT_THAT(places.leave(2), ElementsAre(3));
}

TEST(PlacesTest, AllPlacesAreTakenAtOnce) {
    Places places;
    places.set_pool("all", 4);
    places.set_pool("fb", 1);
    EXPECT_THAT(places.enter(request(1, {{"all"}, {"fb"}})), ElementsAre(1));
    EXPECT_THAT(places.enter(request(2, {{"all"}, {"fb"}})), IsEmpty());
    EXPECT_EQ(places.pool("all").taken, 1U);
    EXPECT_THAT(places.leave(1), ElementsAre(2));
}

TEST(PlacesTest, WhoNeedsMoreThanThereIsTakesTheWholePool) {
    Places places;
    places.set_pool("db", 2);
    EXPECT_THAT(places.enter(request(1, {{"db", 8}})), ElementsAre(1));
    EXPECT_EQ(places.pool("db").taken, 2U);
    EXPECT_THAT(places.enter(request(2, {{"db"}})), IsEmpty());
    EXPECT_THAT(places.set_pool("db", 3), ElementsAre(2));
    EXPECT_THAT(places.leave(1), IsEmpty());
    EXPECT_EQ(places.pool("db").taken, 1U);
}

TEST(PlacesTest, APoolMayGrowShrinkAndClose) {
    Places places;
    EXPECT_THAT(places.enter(request(1, {{"db"}})), IsEmpty());  // there is no such pool
    EXPECT_THAT(places.set_pool("db", 1), ElementsAre(1));
    places.set_pool("db", 0);
    EXPECT_TRUE(places.is_inside(1));
    EXPECT_THAT(places.enter(request(2, {{"db"}})), IsEmpty());
    EXPECT_THAT(places.leave(1), IsEmpty());
    EXPECT_THAT(places.set_pool("db", 1), ElementsAre(2));
}

TEST(PlacesTest, OneOfAMutexAtATime) {
    Places places;
    places.set_pool("db", 8);
    EXPECT_THAT(places.enter(request(1, {{"db"}}, "orders")), ElementsAre(1));
    EXPECT_THAT(places.enter(request(2, {{"db"}}, "orders")), IsEmpty());
    EXPECT_THAT(places.enter(request(3, {{"db"}}, "orders", 1)), IsEmpty());
    EXPECT_THAT(places.enter(request(4, {{"db"}}, "users")), ElementsAre(4));
    EXPECT_THAT(places.leave(1), ElementsAre(3));
    EXPECT_THAT(places.leave(2), IsEmpty());
    EXPECT_THAT(places.leave(3), IsEmpty());
    EXPECT_THAT(places.enter(request(5, {{"db"}}, "orders")), ElementsAre(5));
}

// Random tasks; after each step nothing is over its limit, nobody waits who could go in, and in the end all have been
// in.
TEST(PlacesTest, RandomCrowdsKeepTheRules) {
    std::mt19937 random(7);
    const auto pick = [&](uint32_t below) { return std::uniform_int_distribution<uint32_t>(0, below - 1)(random); };
    for (int round = 0; round < 40; ++round) {
        Places places;
        const std::vector<std::string> names{"all", "db", "api"};
        std::map<std::string, uint32_t> limits{{"all", 1 + pick(6)}, {"db", 1 + pick(4)}, {"api", 1 + pick(2)}};
        for (const auto& [name, limit] : limits) places.set_pool(name, limit);
        std::map<PlaceTicket, PlaceRequest> waiting, inside;
        const auto let_in = [&](const std::vector<PlaceTicket>& tickets) {
            for (const PlaceTicket ticket : tickets) {
                ASSERT_EQ(waiting.count(ticket), 1U);
                inside[ticket] = waiting[ticket];
                waiting.erase(ticket);
            }
        };
        const auto taken = [&](const std::string& name) {
            uint32_t sum = 0;
            for (const auto& [ticket, who] : inside) {
                for (const auto& use : who.uses) sum += use.pool == name ? std::min(use.places, limits[name]) : 0;
            }
            return sum;
        };
        const auto check = [&] {
            std::map<std::string, int> owners;
            for (const auto& [ticket, who] : inside) {
                if (!who.mutex.empty()) {
                    ASSERT_EQ(++owners[who.mutex], 1);
                }
                ASSERT_TRUE(places.is_inside(ticket));
            }
            for (const auto& name : names) {
                ASSERT_LE(taken(name), limits[name]);
                ASSERT_EQ(places.pool(name).taken, taken(name));
            }
            ASSERT_EQ(places.waiting(), waiting.size());
            if (inside.empty()) {
                ASSERT_TRUE(waiting.empty());  // somebody always fits
            }
        };
        PlaceTicket next = 1;
        for (int step = 0; step < 300; ++step) {
            if (pick(2) == 0) {
                PlaceRequest who = request(next++, {{"all"}}, pick(3) == 0 ? "m" + std::to_string(pick(3)) : "",
                                           static_cast<int>(pick(3)));
                if (pick(2) == 0) who.uses.push_back({"db", 1 + pick(5)});
                if (pick(3) == 0) who.uses.push_back({"api"});
                waiting[who.ticket] = who;
                let_in(places.enter(who));
            } else if (!inside.empty() && pick(5) > 0) {
                const PlaceTicket ticket = std::next(inside.begin(), pick(static_cast<uint32_t>(inside.size())))->first;
                inside.erase(ticket);
                let_in(places.leave(ticket));
            } else if (!waiting.empty()) {
                const PlaceTicket ticket =
                    std::next(waiting.begin(), pick(static_cast<uint32_t>(waiting.size())))->first;
                waiting.erase(ticket);
                let_in(places.leave(ticket));
            }
            check();
        }
        while (!inside.empty()) {
            const PlaceTicket ticket = inside.begin()->first;
            inside.erase(ticket);
            let_in(places.leave(ticket));
            check();
        }
        EXPECT_THAT(waiting, IsEmpty());
    }
}

}  // namespace
}  // namespace shaduf
