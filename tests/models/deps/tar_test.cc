#include "models/deps/tar.h"

#include <gtest/gtest.h>

#include "tests/models/deps/tarball.h"
#include "tests/models/project_folder.h"
#include "tests/models/python_oracle.h"

namespace shaduf::models {
namespace {

std::string unpack(const ProjectFolder& folder, const std::vector<TarEntry>& entries) {
    std::filesystem::create_directories(folder.at("out"));
    const auto done = unpack_tarball(make_tarball(entries), folder.at("out"));
    return done.ok() ? "ok" : done.error().message();
}

TEST(Tarball, IsUnpacked) {
    const ProjectFolder folder;
    EXPECT_EQ(unpack(folder, {{"p/", "", '5'},
                              {"p/dbt_project.yml", "name: p"},
                              {"p/models/a.sql", std::string(1000, 'x')},
                              {"p/empty", ""},
                              {"p/models/b.sql", "", '2', "a.sql"},
                              {"p/c.sql", "", '1', "p/models/a.sql"},
                              {"pax_global_header", "52 comment=1234\n", 'g'},
                              {"p/device", "", '3'}}),
              "ok");
    EXPECT_EQ(folder.read("out/p/dbt_project.yml"), "name: p");
    EXPECT_EQ(folder.read("out/p/models/b.sql"), std::string(1000, 'x'));
    EXPECT_EQ(folder.read("out/p/c.sql"), std::string(1000, 'x'));
    EXPECT_TRUE(folder.has("out/p/empty"));
    EXPECT_FALSE(folder.has("out/p/device"));
}

TEST(Tarball, NeverLeadsOut) {
    const std::pair<std::vector<TarEntry>, std::string_view> cases[] = {
        {{{"../x", "1"}}, "the package's archive is damaged: a name leads out of it: ../x"},
        {{{"/tmp/x", "1"}}, "the package's archive is damaged: a name leads out of it: /tmp/x"},
        {{{"a/../../x", "1"}}, "the package's archive is damaged: a name leads out of it: a/../../x"},
        {{{"a", "", '2', "/etc"}}, "the package's archive is damaged: a link leads out of it: a"},
        {{{"a/b", "", '2', "../../x"}}, "the package's archive is damaged: a link leads out of it: a/b"},
        {{{"a", "", '1', "../x"}}, "the package's archive is damaged: a link leads out of it: a"},
        {{{"d/", "", '5'}, {"l", "", '2', "d"}, {"l/x", "1"}},
         "the package's archive is damaged: a name goes through a link: l/x"},
    };
    for (const auto& [entries, expected] : cases) {
        const ProjectFolder folder;
        EXPECT_EQ(unpack(folder, entries), expected);
        EXPECT_FALSE(folder.has("x"));
    }
}

TEST(Tarball, DamagedOnesAreRefused) {
    const ProjectFolder folder;
    const std::string good = make_tarball({{"p/a", std::string(5000, 'x')}});
    for (const std::string& bytes : {std::string("no gzip"), good.substr(0, good.size() / 2), std::string()}) {
        const auto done = unpack_tarball(bytes, folder.at(""));
        ASSERT_FALSE(done.ok());
        EXPECT_EQ(done.error().kind(), ErrorKind::bad_data);
    }
}

TEST(Tarball, LongNamesOfEveryForm) {
    constexpr std::string_view kWriter = R"py(
import tarfile, io, sys
folder = sys.stdin.read()
for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
    with tarfile.open(f'{folder}/{form}.tar.gz', 'w:gz', format=form) as tar:
        info = tarfile.TarInfo('p/' + 'd' * 60 + '/' + 'e' * 60 + '/a.sql')
        info.size = 3
        tar.addfile(info, io.BytesIO(b'abc'))
        if form != tarfile.USTAR_FORMAT:
            info = tarfile.TarInfo('p/' + 'ü' * 80 + '/' + 'f' * 100 + '.sql')
            info.size = 1
            tar.addfile(info, io.BytesIO(b'x'))
)py";
    const ProjectFolder folder;
    if (!run_python(kWriter, folder.at(""))) GTEST_SKIP() << "no python3: archives of others are not unpacked";
    for (const std::string form : {"0", "1", "2"}) {
        SCOPED_TRACE(form);
        std::filesystem::create_directories(folder.at(form));
        const auto done = unpack_tarball(folder.read(form + ".tar.gz"), folder.at(form));
        ASSERT_TRUE(done.ok()) << done.error().to_string();
        EXPECT_EQ(folder.read(form + "/p/" + std::string(60, 'd') + "/" + std::string(60, 'e') + "/a.sql"), "abc");
        std::string wide;
        for (int i = 0; i < 80; ++i) wide += "\xC3\xBC";
        EXPECT_EQ(folder.has(form + "/p/" + wide + "/" + std::string(100, 'f') + ".sql"), form != "0");
    }
}

}  // namespace
}  // namespace shaduf::models
