//! Transforms of pixels, in integers wherever what is written depends on it, so that every machine gives the same.

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use lacuna_model::GrayFormula;
use rand::RngExt as _;
use rand_chacha::ChaCha12Rng;

use super::TransformError;
use super::spec::Side;
use crate::image::{Area, Limits, made_grey};

/// The fractional bits of weights and places.
const FRACTION: u32 = 16;

/// An empty picture, unless it would be larger than is read back.
pub(super) fn canvas(width: u64, height: u64, color: [u8; 3]) -> Result<RgbImage, TransformError> {
    let limit = Limits::default().pixels;
    let sides = u32::try_from(width).ok().zip(u32::try_from(height).ok());
    match sides.filter(|_| width.checked_mul(height).is_some_and(|pixels| (1..=limit).contains(&pixels))) {
        Some((width, height)) => Ok(RgbImage::from_pixel(width, height, Rgb(color))),
        None => Err(TransformError::TooLarge { width, height }),
    }
}

/// Scaled by thousandths, with a triangle filter.
pub(super) fn resize(picture: &RgbImage, factor: u32) -> Result<RgbImage, TransformError> {
    let scaled = |side: u32| (u64::from(side) * u64::from(factor) + 500) / 1000;
    let (width, height) = (scaled(picture.width()).max(1), scaled(picture.height()).max(1));
    let empty = canvas(width, height, [0; 3])?;
    Ok(imageops::resize(picture, empty.width(), empty.height(), FilterType::Triangle))
}

/// Half of the picture's length more at both ends of one direction, in the mean colour of its border.
pub(super) fn pad(picture: &RgbImage, side: Side) -> Result<RgbImage, TransformError> {
    let (width, height) = (u64::from(picture.width()), u64::from(picture.height()));
    let across = (width >= height) == (side == Side::Long);
    let (left, top) = if across { (width / 2, 0) } else { (0, height / 2) };
    let mut padded = canvas(width + 2 * left, height + 2 * top, border_color(picture))?;
    imageops::replace(&mut padded, picture, i64::try_from(left).unwrap_or_default(), i64::try_from(top).unwrap_or_default());
    Ok(padded)
}

/// The mean colour of the outermost pixels.
pub(super) fn border_color(picture: &RgbImage) -> [u8; 3] {
    let (width, height) = picture.dimensions();
    mean(
        (0..width)
            .flat_map(|x| [(x, 0), (x, height.saturating_sub(1))])
            .chain((0..height).flat_map(|y| [(0, y), (width.saturating_sub(1), y)])),
        picture,
    )
}

fn mean(places: impl Iterator<Item = (u32, u32)>, picture: &RgbImage) -> [u8; 3] {
    let (mut sums, mut count) = ([0_u64; 3], 0);
    for pixel in places.filter_map(|(x, y)| picture.get_pixel_checked(x, y)) {
        sums.iter_mut().zip(pixel.0).for_each(|(sum, value)| *sum += u64::from(value));
        count += 1;
    }
    sums.map(|sum| u8::try_from((sum + count / 2) / count.max(1)).unwrap_or(u8::MAX))
}

/// So many hundredths cut off at each side.
pub(super) fn crop(picture: &RgbImage, percent: u32) -> RgbImage {
    let cut = |side: u32| u32::try_from(u64::from(side) * u64::from(percent) / 100).unwrap_or_default();
    let (left, top) = (cut(picture.width()), cut(picture.height()));
    let (width, height) = (picture.width() - 2 * left, picture.height() - 2 * top);
    imageops::crop_imm(picture, left, top, width.max(1), height.max(1)).to_image()
}

/// Turned clockwise; what is not a quarter of a turn on a canvas that holds all of it, in the mean colour of the border.
pub(super) fn rotate(picture: &RgbImage, degrees: u32) -> Result<RgbImage, TransformError> {
    match degrees {
        90 => return Ok(imageops::rotate90(picture)),
        180 => return Ok(imageops::rotate180(picture)),
        270 => return Ok(imageops::rotate270(picture)),
        _ => {}
    }
    let angle = f64::from(degrees) * std::f64::consts::PI / 180.0;
    let (sin, cos) = (fixed(libm::sin(angle)), fixed(libm::cos(angle)));
    let (width, height) = (i64::from(picture.width()), i64::from(picture.height()));
    let extent = |across: i64, down: i64| (width * across.abs() + height * down.abs() + (1 << FRACTION) - 1) >> FRACTION;
    let (wide, high) = (extent(cos, sin), extent(sin, cos));
    let fill = border_color(picture);
    let mut turned = canvas(wide.unsigned_abs(), high.unsigned_abs(), fill)?;
    // Places are counted in halves of a pixel from the centre, so that they are whole; a source place has `FRACTION` more bits.
    for (x, y, pixel) in turned.enumerate_pixels_mut() {
        let (right, down) = (2 * i64::from(x) + 1 - wide, 2 * i64::from(y) + 1 - high);
        let source_x = i64::midpoint(right * cos, down * sin) + ((width - 1) << (FRACTION - 1));
        let source_y = i64::midpoint(down * cos, -right * sin) + ((height - 1) << (FRACTION - 1));
        pixel.0 = sample(picture, source_x, source_y, fill);
    }
    Ok(turned)
}

fn fixed(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "sines and weights lie between -1 and 1")]
    let fixed = libm::round(value * f64::from(1 << FRACTION)) as i64;
    fixed
}

/// The colour between four pixels.
fn sample(picture: &RgbImage, x: i64, y: i64, outside: [u8; 3]) -> [u8; 3] {
    let (left, top) = (x >> FRACTION, y >> FRACTION);
    let (right, below) = ((x >> (FRACTION - 8)) & 255, (y >> (FRACTION - 8)) & 255);
    let at = |x: i64, y: i64| {
        let place = u32::try_from(x).ok().zip(u32::try_from(y).ok());
        place.and_then(|(x, y)| picture.get_pixel_checked(x, y)).map_or(outside, |pixel| pixel.0)
    };
    let corners = [at(left, top), at(left + 1, top), at(left, top + 1), at(left + 1, top + 1)];
    std::array::from_fn(|channel| {
        let values = corners.map(|corner| i64::from(corner[channel]));
        let between = |left: i64, other: i64| left * (256 - right) + other * right;
        let (upper, lower) = (between(values[0], values[1]), between(values[2], values[3]));
        u8::try_from((upper * (256 - below) + lower * below + (1 << 15)) >> 16).unwrap_or(u8::MAX)
    })
}

/// Blurred with a normal distribution of a deviation in pixels, cut at three deviations; the border goes on outwards.
pub(super) fn blur(picture: &RgbImage, deviation: u32) -> RgbImage {
    let weight = |distance: u32| {
        let ratio = f64::from(distance) / f64::from(deviation.max(1));
        u32::try_from(fixed(libm::exp(-ratio * ratio / 2.0))).unwrap_or_default()
    };
    let half: Vec<u32> = (0..=3 * deviation).map(weight).collect();
    let kernel: Vec<u32> = half.iter().skip(1).rev().chain(&half).copied().collect();
    let total: u32 = kernel.iter().sum();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let rows = blurred_lines(picture.as_raw(), height, width * 3, 3, &kernel, total);
    // Down the columns, all rows' values at once.
    let radius = half.len() - 1;
    let stride = width * 3;
    let mut result = Vec::with_capacity(rows.len());
    let mut sums = vec![0_u32; stride];
    for y in 0..height {
        sums.fill(total / 2);
        for (offset, weight) in kernel.iter().enumerate() {
            let row = (y + offset).saturating_sub(radius).min(height.saturating_sub(1));
            let line = rows.get(row * stride..(row + 1) * stride).unwrap_or_default();
            sums.iter_mut().zip(line).for_each(|(sum, value)| *sum += weight * u32::from(*value));
        }
        result.extend(sums.iter().map(|sum| u8::try_from(sum / total).unwrap_or(u8::MAX)));
    }
    RgbImage::from_raw(picture.width(), picture.height(), result).unwrap_or_else(|| picture.clone())
}

/// Each of `count` lines of `length` values blurred along itself; neighbours are `step` values apart.
fn blurred_lines(values: &[u8], count: usize, length: usize, step: usize, kernel: &[u32], total: u32) -> Vec<u8> {
    let radius = kernel.len() / 2;
    let mut result = Vec::with_capacity(values.len());
    let mut line = vec![0_u8; length + 2 * radius * step];
    let mut sums = vec![0_u32; length];
    for row in values.chunks_exact(length.max(1)).take(count) {
        let (first, last) = (row.get(..step).unwrap_or_default(), row.get(length - step.min(length)..).unwrap_or_default());
        for end in 0..radius {
            line[end * step..(end + 1) * step].copy_from_slice(first);
            line[length + (radius + end) * step..length + (radius + end + 1) * step].copy_from_slice(last);
        }
        line[radius * step..radius * step + length].copy_from_slice(row);
        sums.fill(total / 2);
        for (offset, weight) in kernel.iter().enumerate() {
            sums.iter_mut().zip(&line[offset * step..]).for_each(|(sum, value)| *sum += weight * u32::from(*value));
        }
        result.extend(sums.iter().map(|sum| u8::try_from(sum / total).unwrap_or(u8::MAX)));
    }
    result
}

/// Each pixel lighter or darker by at most so many levels.
pub(super) fn noise(picture: &mut RgbImage, levels: u32, random: &mut ChaCha12Rng) {
    let levels = i16::try_from(levels).unwrap_or(255);
    for pixel in picture.pixels_mut() {
        let shift = random.random_range(-levels..=levels);
        pixel.0 = pixel.0.map(|value| u8::try_from((i16::from(value) + shift).clamp(0, 255)).unwrap_or_default());
    }
}

/// Shades of grey.
pub(super) fn grayscale(picture: &mut RgbImage, formula: GrayFormula) {
    *picture = made_grey(picture, formula);
}

/// Black and white; the threshold has the largest variance between the two classes (Otsu 1979), the lowest of several.
pub(super) fn threshold(picture: &mut RgbImage) {
    let mut counts = [0_u64; 256];
    picture.pixels().for_each(|pixel| counts[usize::from(GrayFormula::Luminosity.shade(pixel.0))] += 1);
    let weighted = |shade: usize| shade as u64 * counts[shade];
    let (all, sum) = (counts.iter().sum::<u64>(), (0..256).map(weighted).sum::<u64>());
    let (mut dark, mut dark_sum) = (0, 0);
    let (mut best, mut threshold) = (0.0, 127);
    for (shade, count) in counts.into_iter().enumerate() {
        dark += count;
        dark_sum += weighted(shade);
        let light = all - dark;
        if dark == 0 || light == 0 {
            continue;
        }
        let apart = dark_sum as f64 / dark as f64 - (sum - dark_sum) as f64 / light as f64;
        let variance = dark as f64 * light as f64 * apart * apart;
        if variance > best {
            (best, threshold) = (variance, shade);
        }
    }
    let color = |pixel: [u8; 3]| if usize::from(GrayFormula::Luminosity.shade(pixel)) > threshold { [255; 3] } else { [0; 3] };
    picture.pixels_mut().for_each(|pixel| pixel.0 = color(pixel.0));
}

/// The negative.
pub(super) fn invert(picture: &mut RgbImage) {
    imageops::invert(picture);
}

/// An area in one colour: the mean of the pixels around it.
pub(super) fn blank(picture: &mut RgbImage, area: Area) {
    const RING: u32 = 2;
    let (width, height) = picture.dimensions();
    let outer = area.grown(RING, width, height);
    let (right, bottom) = (area.x.saturating_add(area.width), area.y.saturating_add(area.height));
    let is_inside = move |x: u32, y: u32| (area.x..right).contains(&x) && (area.y..bottom).contains(&y);
    let around = (outer.y..outer.y + outer.height).flat_map(|y| (outer.x..outer.x + outer.width).map(move |x| (x, y)));
    let color = Rgb(mean(around.filter(|(x, y)| !is_inside(*x, *y)), picture));
    for y in area.y..bottom.min(height) {
        for x in area.x..right.min(width) {
            picture.put_pixel(x, y, color);
        }
    }
}

/// Copies in a grid that is about as wide as high.
pub(super) fn duplicates(picture: &RgbImage, count: u32) -> Result<RgbImage, TransformError> {
    let (width, height) = (u64::from(picture.width()), u64::from(picture.height()));
    let rows_for = |columns: u64| u64::from(count).div_ceil(columns);
    let longest = |columns: &u64| (columns * width).max(rows_for(*columns) * height);
    let columns = (1..=u64::from(count)).min_by_key(longest).unwrap_or(1);
    let mut all = canvas(columns * width, rows_for(columns) * height, border_color(picture))?;
    for copy in 0..u64::from(count) {
        let (x, y) = (copy % columns * width, copy / columns * height);
        imageops::replace(&mut all, picture, i64::try_from(x).unwrap_or_default(), i64::try_from(y).unwrap_or_default());
    }
    Ok(all)
}
