#include "connectors/ads/lanes.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace shaduf::ads {
namespace {

ReadBatch page(const std::string& row, size_t rows) {
    BufferBuilder text;
    RawRows raw;
    for (size_t i = 0; i < rows; ++i) {
        raw.rows.push_back({static_cast<uint32_t>(text.size()), static_cast<uint32_t>(row.size())});
        text.append(row + "\n");
    }
    raw.text = text.finish();
    ReadBatch batch;
    batch.rows = std::move(raw);
    return batch;
}

std::string row_of(int number) {
    return R"({"campaign_name":")" + std::string(500, 'a') + R"(","clicks":")" + std::to_string(number) + "\"}";
}

std::string text_of(const ReadBatch& batch) { return std::string(std::get<RawRows>(batch.rows).text->view()); }

// The first slice is being read and gives nothing, as behind a limit of calls; the second one is far larger than what
// may wait.
TEST(AdsLanes, WhileTheReaderStarvesWholeSlicesWaitPacked) {
    constexpr int kPages = 40;
    constexpr size_t kRows = 100;
    Lanes lanes({Slice{}, Slice{}}, 256 << 10);
    Lane* const first = lanes.take();
    Lane* const second = lanes.take();
    ASSERT_TRUE(lanes.push(*first, page(row_of(0), 1000)).ok());
    std::thread fetching([&] {
        for (int i = 0; i < kPages; ++i) {
            auto pushed = lanes.push(*second, page(row_of(i), kRows));
            ASSERT_TRUE(pushed.ok()) << pushed.error().to_string();
            ASSERT_TRUE(pushed.value());
            ASSERT_LT(second->bytes, 256U << 10);
        }
        lanes.end(*second, {});
        lanes.end(*first, {});
    });
    EXPECT_EQ(text_of(std::move(*lanes.next().batch).unpack().value()), text_of(page(row_of(0), 1000)));
    EXPECT_NE(lanes.next().ended, nullptr) << "waits until the other has fetched all of its own";
    for (int i = 0; i < kPages; ++i) {
        Lanes::Next next = lanes.next();
        ASSERT_TRUE(next.batch.has_value());
        auto batch = std::move(*next.batch).unpack();
        ASSERT_TRUE(batch.ok()) << batch.error().to_string();
        EXPECT_EQ(text_of(batch.value()), text_of(page(row_of(i), kRows)));
    }
    EXPECT_NE(lanes.next().ended, nullptr);
    fetching.join();
}

TEST(AdsLanes, LittleTextAndThatOfTheSliceBeingReadStayAsTheyAre) {
    Lanes lanes({Slice{}}, 1 << 20);
    Lane* lane = lanes.take();
    const ReadBatch few = page(row_of(1), 10);
    const size_t bytes = std::get<RawRows>(few.rows).byte_size();
    ASSERT_TRUE(lanes.push(*lane, few).ok());
    EXPECT_EQ(lane->bytes, bytes);
    WaitingBatch waiting(few);
    ASSERT_TRUE(waiting.pack().ok());
    EXPECT_EQ(waiting.bytes(), bytes) << "not worth packing";
}

}  // namespace
}  // namespace shaduf::ads
