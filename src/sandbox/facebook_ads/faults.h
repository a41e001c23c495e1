#pragma once

#include "sandbox/platform.h"

namespace shaduf::sandbox::facebook {

inline constexpr FieldSpec kErrorFields[] = {
    {.name = "code", .type = FieldType::integer, .help = "The error's code.", .default_value = "1"},
    {.name = "subcode", .type = FieldType::integer, .help = "Its error_subcode."},
    {.name = "message", .help = "Its message.", .default_value = "An unknown error occurred"},
    {.name = "status", .type = FieldType::integer, .help = "Of the answer.", .default_value = "400"},
    {.name = "transient", .type = FieldType::boolean, .help = "Whether it says so.", .default_value = "false"},
};
inline constexpr FieldSpec kThrottleFields[] = {
    {.name = "code", .type = FieldType::integer, .help = "4, 17, 32, 613, 80000, 80004.", .default_value = "80000"},
    {.name = "minutes", .type = FieldType::integer, .help = "To wait, as the headers say.", .default_value = "1"},
};
inline constexpr FieldSpec kUsageFields[] = {
    {.name = "percent", .type = FieldType::number, .help = "That the headers tell.", .default_value = "96"}};
inline constexpr FieldSpec kTooMuchFields[] = {
    {.name = "days_max", .type = FieldType::integer, .help = "That a call may ask for."},
    {.name = "rows_max", .type = FieldType::integer, .help = "That a call may be about."},
};
inline constexpr FieldSpec kSlowFields[] = {
    {.name = "polls", .type = FieldType::integer, .help = "Until it is done.", .default_value = "5"}};
inline constexpr FieldSpec kFailedFields[] = {
    {.name = "code", .type = FieldType::integer, .help = "The error's code.", .default_value = "-2"},
    {.name = "subcode", .type = FieldType::integer, .help = "Its error_subcode.", .default_value = "2490547"},
    {.name = "message", .help = "Its message.", .default_value = "The report could not be made"},
};
inline constexpr FieldSpec kElementFields[] = {
    {.name = "element", .type = FieldType::integer, .help = "Of the batch, from 0.", .default_value = "0"}};

inline constexpr FaultSpec kFaults[] = {
    {"graph_error", "Answers with an error of any code.", kErrorFields},
    {"throttle", "Answers that there were too many calls.", kThrottleFields},
    {"usage", "The usage headers tell so much, whatever was used.", kUsageFields},
    {"reduce_data", "Status 500, \"Please reduce the amount of data you're asking for\"."},
    {"too_much_data", "Refuses insights of too many days or rows (100/1487534); always, without options.",
     kTooMuchFields},
    {"expired_token", "The token has expired (190/463)."},
    {"permission_flip", "A permission is missing (200/4841013), which passes."},
    {"report_stuck", "The report begun by this call stays at 0 %."},
    {"report_slow", "The report begun by this call takes so many looks.", kSlowFields},
    {"report_failed", "The report begun by this call fails.", kFailedFields},
    {"report_skipped", "The report begun by this call expires before it is made."},
    {"report_late", "The report begun by this call is completed at 99 %, and at 100 % one look later."},
    {"summary_flake", "The rows of a report are refused with a complaint about a summary."},
    {"null_batch_element", "An element of the batch is not executed, and null.", kElementFields},
    {"id_as_number", "The report's id comes as a number."},
};

}  // namespace shaduf::sandbox::facebook
