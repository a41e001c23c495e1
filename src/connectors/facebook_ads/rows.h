#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "connectors/ads/slice.h"
#include "connectors/connector.h"
#include "connectors/facebook_ads/settings.h"
#include "data/buffer.h"

// What becomes of an answer's records: each gets its account's id, zone and currency, a report's the attribution
// windows as well.
namespace shaduf::facebook {

// The columns of a stream, in the order that they are asked for.
std::vector<ShapeColumn> columns_of(const StreamSettings& stream);

// What each row gets besides its own, as the first members of its JSON object.
std::string added_members(const StreamSettings& stream, const ads::Slice& slice);

// The rows of a page, as they came: their types are those of columns_of, which the contract decodes along.
Result<ReadBatch> read_rows(const StreamSettings& stream, const ads::Slice& slice, const BufferPtr& body);
// The same with each number of a list of actions as a column of its own, "actions__link_click" and, of one attribution
// window, "actions__link_click__1d_click"; typed, since which columns there are is known by the page only.
Result<ReadBatch> read_action_columns(const StreamSettings& stream, const ads::Slice& slice, const BufferPtr& body);

}  // namespace shaduf::facebook
