//! A checksum of a whole database that is kept up to date page by page.
//!
//! The sum is the exclusive or of one value per page, so a changed page costs two page checksums, whatever
//! the size of the database. Each page's CRC is mixed with its number by a non-linear function: with a
//! bare CRC two pages could swap places unnoticed. The two header bytes that say "rollback journal" or
//! "write-ahead log" don't count, since a snapshot differs from the live file in them.

use crc_fast::CrcAlgorithm;

/// The byte where SQLite would lock; the page that holds it is never used.
const LOCK_BYTE: u64 = 0x4000_0000;
/// The two header bytes that name the journal mode (1 rollback, 2 write-ahead log).
pub(crate) const JOURNAL_MODE_BYTES: std::ops::Range<usize> = 18..20;

/// The number of the page that SQLite never uses, for a page size.
pub fn lock_page(page_bytes: u32) -> u32 {
    u32::try_from(LOCK_BYTE / u64::from(page_bytes)).unwrap_or(u32::MAX - 1) + 1
}

/// What one page adds to the sum.
pub fn page_checksum(number: u32, page: &[u8]) -> u64 {
    let crc = if number == 1 && page.len() >= JOURNAL_MODE_BYTES.end {
        let mut first = page.to_vec();
        first[JOURNAL_MODE_BYTES].fill(0);
        crc_fast::checksum(CrcAlgorithm::Crc64Nvme, &first)
    } else {
        crc_fast::checksum(CrcAlgorithm::Crc64Nvme, page)
    };
    mix(crc ^ mix(u64::from(number)))
}

/// The finalizer of splitmix64.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swapped_pages_do_not_cancel() {
        let (a, b) = ([1_u8; 512], [2_u8; 512]);
        assert_ne!(page_checksum(2, &a) ^ page_checksum(3, &b), page_checksum(2, &b) ^ page_checksum(3, &a));
    }

    #[test]
    fn the_journal_mode_does_not_count_and_the_rest_of_the_header_does() {
        let mut page = [7_u8; 512];
        let before = page_checksum(1, &page);
        page[18..20].fill(2);
        assert_eq!(page_checksum(1, &page), before);
        page[24] = 0;
        assert_ne!(page_checksum(1, &page), before);
    }

    #[test]
    fn the_lock_page_is_the_one_that_holds_the_byte_at_one_gibibyte() {
        assert_eq!(lock_page(4096), 262_145);
        assert_eq!(lock_page(65_536), 16_385);
    }
}
