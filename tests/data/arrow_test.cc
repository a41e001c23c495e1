#include "data/arrow.h"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <memory>

#include "data/builder.h"

namespace shaduf {
namespace {

SchemaPtr schema_of(std::vector<Field> fields) { return std::make_shared<const Schema>(std::move(fields)); }

SchemaPtr every_type() {
    return schema_of({{"b", TypeKind::boolean},
                      {"i", TypeKind::int64, false},
                      {"f", TypeKind::float64},
                      {"d", DataType::decimal(3)},
                      {"s", TypeKind::string},
                      {"z", TypeKind::bytes},
                      {"day", TypeKind::date},
                      {"t", TypeKind::time},
                      {"ts", TypeKind::timestamp},
                      {"tz", TypeKind::timestamp_tz},
                      {"j", TypeKind::json},
                      {"l", DataType::list(TypeKind::string)},
                      {"st", DataType::structure({{"x", TypeKind::int64}, {"y", DataType::list(TypeKind::date)}})},
                      {"u", TypeKind::uuid},
                      {"p", DataType::decimal(18, 4)}});
}

void append_row(RecordBatchBuilder& rows, int64_t i) {
    rows.column(0).append_boolean(i % 2 == 0);
    rows.column(1).append_int64(i * 1'000'000'007);
    rows.column(2).append_float64(static_cast<double>(i) / 3);
    rows.column(3).append_decimal(int128{i} * 1'000'000'000'000'000'000);
    rows.column(4).append_text("text " + std::to_string(i));
    rows.column(5).append_text(std::string_view("\0\xff", 2));
    rows.column(6).append_date(static_cast<int32_t>(i) - 5);
    rows.column(7).append_int64(i * 1'000'001);
    rows.column(8).append_int64(i * 86'400'000'001);
    rows.column(9).append_int64(-i);
    rows.column(10).append_text("{\"i\":" + std::to_string(i) + "}");
    for (int64_t item = 0; item < i % 3; ++item) rows.column(11).child(0).append_text("item");
    rows.column(11).append_list();
    rows.column(12).child(0).append_int64(i);
    rows.column(12).child(1).child(0).append_null();
    rows.column(12).child(1).append_list();
    rows.column(12).append_structure();
    rows.column(13).append_uuid(std::string(15, '\xfe') + static_cast<char>(i));
    rows.column(14).append_decimal(i * 10'000'000'000);
}

RecordBatch rows_of_every_type(size_t count) {
    RecordBatchBuilder rows(every_type());
    for (size_t row = 0; row < count; ++row) {
        if (row % 5 == 3) {
            rows.column(0).append_null();
            rows.column(1).append_int64(0);
            for (size_t i = 2; i < 15; ++i) rows.column(i).append_null();
        } else {
            append_row(rows, static_cast<int64_t>(row));
        }
        rows.end_row();
    }
    return rows.finish();
}

// Both sides of the interface as a consumer holds them; releases what nobody took.
struct Exported {
    ArrowSchema schema{};
    ArrowArray array{};

    explicit Exported(const RecordBatch& batch) {
        export_schema(*batch.schema(), schema);
        export_batch(batch, array);
    }
    ~Exported() {
        if (schema.release != nullptr) schema.release(&schema);
        if (array.release != nullptr) array.release(&array);
    }
};

void expect_same_rows(const RecordBatch& a, const RecordBatch& b) {
    ASSERT_EQ(a.rows(), b.rows());
    EXPECT_EQ(a.schema()->to_string(), b.schema()->to_string());
    for (size_t row = 0; row < a.rows(); ++row) EXPECT_EQ(a.row_as_json(row), b.row_as_json(row)) << row;
}

TEST(Arrow, BringsEveryTypeThereAndBack) {
    for (const size_t count : {0, 1, 8, 103}) {
        SCOPED_TRACE(count);
        const RecordBatch rows = rows_of_every_type(count);
        Exported out(rows);
        auto back = import_batch(std::move(out.array), out.schema);
        ASSERT_TRUE(back.ok()) << back.error().to_string();
        expect_same_rows(rows, back.value());
        EXPECT_EQ(*back.value().schema(), *rows.schema());
    }
}

TEST(Arrow, CopiesNothingOfOurOwnLayout) {
    const RecordBatch rows = rows_of_every_type(20);
    Exported out(rows);
    auto back = import_batch(std::move(out.array), out.schema);
    for (const size_t i : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}) {
        SCOPED_TRACE(i);
        EXPECT_EQ(back.value().column(i).values->data(), rows.column(i).values->data());
    }
    EXPECT_EQ(back.value().column(4).offsets->data(), rows.column(4).offsets->data());
    EXPECT_EQ(back.value().column(12).children[0].values->data(), rows.column(12).children[0].values->data());
}

TEST(Arrow, KeepsBuffersAliveUntilReleased) {
    ArrowArray array{};
    std::weak_ptr<const Buffer> buffer;
    {
        const RecordBatch rows = rows_of_every_type(4);
        buffer = rows.column(4).values;
        export_batch(rows, array);
    }
    EXPECT_FALSE(buffer.expired());
    // A child that was moved out outlives its parent.
    ArrowArray child = *array.children[4];
    array.children[4]->release = nullptr;
    array.release(&array);
    EXPECT_FALSE(buffer.expired());
    child.release(&child);
    EXPECT_TRUE(buffer.expired());
    EXPECT_EQ(array.release, nullptr);
}

// An array as another program might lay it out; counts its releases.
struct Foreign {
    struct Part {
        ArrowSchema schema{};
        ArrowArray array{};
        std::vector<const void*> buffers;
        std::vector<ArrowSchema*> schemas;
        std::vector<ArrowArray*> arrays;
    };
    std::deque<Part> parts;
    Part& root;
    int released = 0;

    explicit Foreign(Part& column) : root(parts.emplace_back()) { add(root, column); }
    static void add(Part& parent, Part& child) {
        parent.schemas.push_back(&child.schema);
        parent.arrays.push_back(&child.array);
        parent.schema.format = parent.schema.format == nullptr ? "+s" : parent.schema.format;
        parent.schema.children = parent.schemas.data();
        parent.schema.n_children = static_cast<int64_t>(parent.schemas.size());
        parent.array.children = parent.arrays.data();
        parent.array.n_children = parent.schema.n_children;
    }

    Result<RecordBatch> import(int64_t length, int64_t offset = 0) {
        root.array.length = length;
        root.array.offset = offset;
        root.array.private_data = &released;
        root.array.release = [](ArrowArray* array) {
            ++*static_cast<int*>(array->private_data);
            array->release = nullptr;
        };
        return import_batch(std::move(root.array), root.schema);
    }
};

Foreign::Part part(const char* format, std::vector<const void*> buffers, int64_t length, int64_t offset = 0) {
    Foreign::Part made;
    made.schema.format = format;
    made.schema.name = "c";
    made.schema.flags = ARROW_FLAG_NULLABLE;
    made.buffers = std::move(buffers);
    made.array.buffers = made.buffers.data();
    made.array.n_buffers = static_cast<int64_t>(made.buffers.size());
    made.array.length = length;
    made.array.null_count = -1;
    made.array.offset = offset;
    return made;
}

template <typename T>
std::vector<T> values(std::initializer_list<T> list) {
    return list;
}

std::string column_as_text(const RecordBatch& rows) {
    std::string text;
    for (size_t row = 0; row < rows.rows(); ++row) {
        if (row > 0) text += ' ';
        append_json(rows.column(0), row, text);
    }
    return text;
}

TEST(Arrow, ImportsWhatIsLaidOutOtherwise) {
    const std::array<uint8_t, 1> second_is_null{0b11111101};
    const auto bytes = values<int8_t>({-1, 2, 3});
    const auto unsigned_bytes = values<uint8_t>({255, 2, 3});
    const auto shorts = values<int16_t>({-300, 2, 3});
    const auto unsigned_shorts = values<uint16_t>({65535, 2, 3});
    const auto ints = values<int32_t>({-70000, 2, 3});
    const auto shorts_as_ints = values<int32_t>({-300, 2, 3});
    const auto unsigned_ints = values<uint32_t>({4294967295, 2, 3});
    const auto unsigned_longs = values<uint64_t>({18446744073709551615U, 2, 3});
    const auto floats = values<float>({0.5F, 2, -3});
    const auto instants = values<int64_t>({-1, 2, 90'061'001});
    const auto large_offsets = values<int64_t>({0, 2, 2, 5});
    const std::array<int64_t, 12> wide{-5, -1, -1, -1, 2, 0, 0, 0, 3, 0, 0, 0};
    const char* const text = "abcde";
    const void* const nulls = second_is_null.data();
    struct Case {
        const char* format;
        const void* data;
        const char* type;
        const char* expected;
    };
    const Case cases[] = {
        {"c", bytes.data(), "int64", "-1 null 3"},
        {"C", unsigned_bytes.data(), "int64", "255 null 3"},
        {"s", shorts.data(), "int64", "-300 null 3"},
        {"S", unsigned_shorts.data(), "int64", "65535 null 3"},
        {"i", ints.data(), "int64", "-70000 null 3"},
        {"I", unsigned_ints.data(), "int64", "4294967295 null 3"},
        {"L", unsigned_longs.data(), "decimal(20,0)", "18446744073709551615 null 3"},
        {"f", floats.data(), "float64", "0.5 null -3"},
        {"d:9,2,32", ints.data(), "decimal(9,2)", "-700.00 null 0.03"},
        {"d:18,1,64", instants.data(), "decimal(18,1)", "-0.1 null 9006100.1"},
        {"d:2,3,32", shorts_as_ints.data(), "decimal(3,3)", "-0.300 null 0.003"},
        {"d:4,2,32", ints.data(), nullptr, "value has more digits than decimal(4,2) in column"},
        {"d:38,1,256", wide.data(), "decimal(38,1)", "-0.5 null 0.3"},
        {"tss:", instants.data(), "timestamp", R"("1969-12-31T23:59:59" null "1972-11-08T08:56:41")"},
        {"tsm:Europe/Berlin", instants.data(), "timestamp_tz",
         R"("1969-12-31T23:59:59.999000Z" null "1970-01-02T01:01:01.001000Z")"},
        {"tsn:", instants.data(), "timestamp", R"("1969-12-31T23:59:59.999999" null "1970-01-01T00:00:00.090061")"},
        {"tdm", instants.data(), "date", R"("1969-12-31" null "1970-01-02")"},
        {"w:1", text, "bytes", R"("\\x61" null "\\x63")"},
        {"n", nullptr, "string", "null null null"},
        {"tDs", instants.data(), nullptr, "Arrow type has no counterpart: tDs"},
        {"d:60,2,256", wide.data(), nullptr, "Arrow type has no counterpart: d:60,2,256"},
        {"+us:0", wide.data(), nullptr, "Arrow type has no counterpart: +us:0"},
    };
    for (const auto& [format, data, type, expected] : cases) {
        SCOPED_TRACE(format);
        auto column = part(format, {nulls, data}, 3);
        Foreign foreign(column);
        auto rows = foreign.import(3);
        ASSERT_EQ(rows.ok(), type != nullptr);
        if (!rows.ok()) {
            EXPECT_EQ(rows.error().kind(), ErrorKind::bad_data);
            EXPECT_NE(rows.error().message().find(expected), std::string::npos) << rows.error().message();
            continue;
        }
        EXPECT_EQ((*rows.value().schema())[0].type.to_string(), type);
        EXPECT_EQ(column_as_text(rows.value()), expected);
    }
    auto large = part("U", {nulls, large_offsets.data(), text}, 3);
    EXPECT_EQ(column_as_text(Foreign(large).import(3).value()), R"("ab" null "cde")");
}

TEST(Arrow, ImportsArraysThatBeginBehindAnOffset) {
    const std::array<uint8_t, 2> bits{0b10110110, 0b1};
    const auto longs = values<int64_t>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    const auto offsets = values<int32_t>({0, 1, 2, 4, 6, 9});
    const auto item_offsets = values<int32_t>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    {
        auto column = part("l", {bits.data(), longs.data()}, 5, 2);
        Foreign foreign(column);
        EXPECT_EQ(column_as_text(foreign.import(4, 1).value()), "null 4 5 null");
    }
    {
        auto column = part("b", {bits.data(), bits.data()}, 9);
        Foreign foreign(column);
        EXPECT_EQ(column_as_text(foreign.import(8, 1).value()), "true true null true true null true true");
    }
    {
        auto column = part("u", {nullptr, offsets.data(), "abcdefghi"}, 3, 2);
        Foreign foreign(column);
        auto rows = foreign.import(3);
        EXPECT_EQ(column_as_text(rows.value()), R"("cd" "ef" "ghi")");
        EXPECT_EQ(rows.value().column(0).offsets->as<int32_t>()[0], 0);
    }
    {
        auto items = part("u", {nullptr, item_offsets.data(), "abcdefghi"}, 9);
        auto column = part("+l", {nullptr, offsets.data()}, 5, 1);
        Foreign::add(column, items);
        Foreign foreign(column);
        EXPECT_EQ(column_as_text(foreign.import(3, 1).value()), R"(["c","d"] ["e","f"] ["g","h","i"])");
    }
    {
        auto items = part("l", {nullptr, longs.data()}, 10);
        auto column = part("+w:2", {nullptr}, 4, 1);
        Foreign::add(column, items);
        Foreign foreign(column);
        EXPECT_EQ(column_as_text(foreign.import(2).value()), "[2,3] [4,5]");
    }
}

TEST(Arrow, ImportsDictionariesAndViews) {
    const std::array<uint8_t, 1> second_is_null{0b11111101};
    const auto offsets = values<int32_t>({0, 1, 3});
    const auto indexes = values<int8_t>({1, 99, 0, 1});
    auto words = part("u", {nullptr, offsets.data(), "abc"}, 2);
    auto column = part("c", {second_is_null.data(), indexes.data()}, 4);
    column.schema.dictionary = &words.schema;
    column.array.dictionary = &words.array;
    EXPECT_EQ(column_as_text(Foreign(column).import(4).value()), R"("bc" null "a" "bc")");

    std::array<int32_t, 12> views{};
    const auto put = [&](size_t row, int32_t size, const char* prefix, int32_t buffer, int32_t at) {
        views[row * 4] = size;
        std::memcpy(&views[row * 4 + 1], prefix, 4);
        if (size <= 12) return;
        views[row * 4 + 2] = buffer;
        views[row * 4 + 3] = at;
    };
    put(0, 3, "abc", 0, 0);
    put(2, 13, "cdef", 0, 2);
    const int64_t size = 20;
    auto view = part("vu", {second_is_null.data(), views.data(), "abcdefghijklmnopqrst", &size}, 3);
    EXPECT_EQ(column_as_text(Foreign(view).import(3).value()), R"("abc" null "cdefghijklmno")");
}

TEST(Arrow, ReleasesAnImportedArrayWithItsLastColumn) {
    const auto longs = values<int64_t>({1, 2, 3});
    auto column = part("l", {nullptr, longs.data()}, 3);
    Foreign foreign(column);
    std::vector<Column> kept;
    {
        auto rows = foreign.import(3);
        kept.push_back(rows.value().column(0));
    }
    EXPECT_EQ(foreign.released, 0);
    kept.clear();
    EXPECT_EQ(foreign.released, 1);
}

}  // namespace
}  // namespace shaduf
