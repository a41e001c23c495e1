#include "data/uuid.h"

#include <gtest/gtest.h>

#include <array>

namespace shaduf {
namespace {

std::string read(std::string_view text) {
    std::array<uint8_t, kUuidBytes> bytes{};
    if (!parse_uuid(text, bytes.data())) return "none";
    std::string out;
    append_uuid_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, out);
    return out;
}

TEST(Uuid, ReadsWhatDatabasesRead) {
    constexpr std::string_view kPlain = "01234567-89ab-cdef-0123-456789abcdef";
    for (const std::string_view text : {kPlain, std::string_view("01234567-89AB-CDEF-0123-456789ABCDEF"),
                                        std::string_view("0123456789abcdef0123456789abcdef"),
                                        std::string_view("{01234567-89ab-cdef-0123-456789abcdef}"),
                                        std::string_view("0123-4567-89ab-cdef-0123-4567-89ab-cdef")}) {
        EXPECT_EQ(read(text), kPlain) << text;
    }
    EXPECT_EQ(read("ffffffff-ffff-ffff-ffff-ffffffffffff"), "ffffffff-ffff-ffff-ffff-ffffffffffff");
    for (const std::string_view text :
         {"", "0", "{}", "01234567-89ab-cdef-0123-456789abcde", "01234567-89ab-cdef-0123-456789abcdef0",
          "g1234567-89ab-cdef-0123-456789abcdef", "-01234567-89ab-cdef-0123-456789abcdef",
          "01234567-89ab-cdef-0123-456789abcdef-", "012-34567-89ab-cdef-0123-456789abcdef",
          "{01234567-89ab-cdef-0123-456789abcdef"}) {
        EXPECT_EQ(read(text), "none") << text;
    }
}

}  // namespace
}  // namespace shaduf
