#include "rt/error.h"
#include "rt/linked_image.h"

#include <cstddef>
#include <cstring>
#include <elf.h>
#include <gtest/gtest.h>

TEST(LinkedImage, RoundTrip) {
    const std::vector<std::string> texts{".version 8.0", "", "second"};
    const auto image = rt::make_linked_image(texts);
    ASSERT_TRUE(rt::is_linked_image(image.data()));
    EXPECT_EQ(rt::read_linked_image(image.data()), texts);
}

TEST(LinkedImage, OtherImagesAreNone) {
    EXPECT_FALSE(rt::is_linked_image(".version 8.0"));
    EXPECT_FALSE(rt::is_linked_image("\x7f"
                                     "ELF"));
    EXPECT_FALSE(rt::is_linked_image(""));
}

TEST(LinkedImage, IsAnElfFileOfTheArchitecture) {
    const auto image = rt::make_linked_image(std::vector<std::string>{"text"}, 90);
    Elf64_Ehdr header;
    std::memcpy(&header, image.data(), sizeof header);
    EXPECT_EQ(std::memcmp(header.e_ident, ELFMAG, SELFMAG), 0);
    EXPECT_EQ(header.e_machine, 190);
    EXPECT_EQ(header.e_flags & 0xff, 90u);
    EXPECT_EQ(header.e_shoff + header.e_shnum * sizeof(Elf64_Shdr), image.size()); // as programs find the size
}

TEST(LinkedImage, DamageIsFound) {
    const auto image = rt::make_linked_image(std::vector<std::string>{"text"});
    EXPECT_THROW(rt::read_linked_image(image.data(), image.size() - 1), rt::Error);
    Elf64_Ehdr header;
    std::memcpy(&header, image.data(), sizeof header);
    const uint64_t last_section = header.e_shoff + 2 * sizeof(Elf64_Shdr);
    for (const uint64_t at : {offsetof(Elf64_Ehdr, e_shoff), last_section + offsetof(Elf64_Shdr, sh_size),
                              last_section + offsetof(Elf64_Shdr, sh_offset)}) {
        auto damaged = image;
        const uint64_t absurd = ~uint64_t{0} - 3;
        std::memcpy(damaged.data() + at, &absurd, sizeof absurd);
        EXPECT_THROW(rt::read_linked_image(damaged.data(), damaged.size()), rt::Error) << at;
    }
}
