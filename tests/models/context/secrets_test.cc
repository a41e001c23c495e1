#include "models/context/secrets.h"

#include <gtest/gtest.h>

namespace shaduf::models {
namespace {

TEST(SecretsTest, AreReplacedWhereverTheyStand) {
    Secrets secrets;
    for (const char* value : {"abc", "abcdef", "  ", ""}) secrets.add(value);
    EXPECT_EQ(secrets.scrub("x abcdef abc abcabc"), "x ***** ***** **********");
    EXPECT_EQ(secrets.scrub("nothing of it"), "nothing of it");
    auto dict = jinja::make<jinja::Dict>();
    dict->set("key", jinja::Value::list({"abc", 1}));
    EXPECT_EQ(secrets.scrub_texts(jinja::Value(dict)).repr(), "{'key': ['*****', 1]}");
    EXPECT_TRUE(Secrets::is_secret_name("DBT_ENV_SECRET_PASSWORD"));
    EXPECT_FALSE(Secrets::is_secret_name("DBT_ENV_PASSWORD"));
}

}  // namespace
}  // namespace shaduf::models
