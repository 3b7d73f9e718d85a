//! The compression function of MD5 (RFC 1321), step by step, as a collision search needs it.
//!
//! In the papers' notation step `t` (0 to 63) turns `Q[t-3]`, …, `Q[t]` and one word of the message into `Q[t+1]`:
//!
//! ```text
//! T[t]   = f(Q[t], Q[t-1], Q[t-2]) + Q[t-3] + K[t] + W[t]
//! Q[t+1] = Q[t] + (T[t] <<< S[t])
//! ```

/// A chaining value, in the order a, b, c, d of the standard.
pub type Chaining = [u32; 4];

/// A block as little-endian words.
pub type Block = [u32; 16];

/// Where the first block begins.
pub const START: Chaining = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// The constants added in each step: the whole part of 2³² |sin(t + 1)|.
#[rustfmt::skip]
pub const K: [u32; 64] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
    0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
    0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
    0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
];

const ROTATIONS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// By how much step `t` rotates to the left.
#[inline(always)]
pub const fn rotation(t: usize) -> u32 {
    ROTATIONS[t / 16][t % 4]
}

/// Which word of the message step `t` adds.
#[inline(always)]
pub const fn word(t: usize) -> usize {
    match t / 16 {
        0 => t,
        1 => (5 * t + 1) % 16,
        2 => (3 * t + 5) % 16,
        _ => (7 * t) % 16,
    }
}

/// The Boolean function of step `t`.
#[inline(always)]
pub const fn function(t: usize, x: u32, y: u32, z: u32) -> u32 {
    match t / 16 {
        0 => z ^ (x & (y ^ z)),
        1 => y ^ (z & (x ^ y)),
        2 => x ^ y ^ z,
        _ => y ^ (x | !z),
    }
}

/// `Q[t+1]` from `Q[t]`, `Q[t-1]`, `Q[t-2]`, `Q[t-3]` and the word of the message.
#[inline(always)]
pub const fn step(t: usize, q: [u32; 4], word: u32) -> u32 {
    let sum = function(t, q[0], q[1], q[2]).wrapping_add(q[3]).wrapping_add(K[t]).wrapping_add(word);
    q[0].wrapping_add(sum.rotate_left(rotation(t)))
}

/// The word of the message by which step `t` turns the four `Q` before it into `next`.
#[inline(always)]
pub const fn word_between(t: usize, q: [u32; 4], next: u32) -> u32 {
    next.wrapping_sub(q[0])
        .rotate_right(rotation(t))
        .wrapping_sub(function(t, q[0], q[1], q[2]))
        .wrapping_sub(q[3])
        .wrapping_sub(K[t])
}

/// The chaining value behind one block.
pub fn compress(chaining: Chaining, block: &Block) -> Chaining {
    let [a, b, c, d] = chaining;
    let mut q = [b, c, d, a];
    for t in 0..64 {
        q = [step(t, q, block[word(t)]), q[0], q[1], q[2]];
    }
    [a.wrapping_add(q[3]), b.wrapping_add(q[0]), c.wrapping_add(q[1]), d.wrapping_add(q[2])]
}

/// The chaining value behind `bytes`, whole blocks without padding; a rest shorter than a block is left out.
pub fn chaining_behind(bytes: &[u8]) -> Chaining {
    bytes.chunks_exact(64).fold(START, |chaining, block| compress(chaining, &words(block)))
}

/// The words of a block of 64 bytes.
pub fn words(bytes: &[u8]) -> Block {
    let mut words = [0; 16];
    for (word, four) in words.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = four.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    words
}

/// The bytes of a block.
pub fn bytes(block: &Block) -> [u8; 64] {
    let mut bytes = [0; 64];
    for (four, word) in bytes.chunks_exact_mut(4).zip(block) {
        four.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}
