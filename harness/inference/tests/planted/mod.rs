//! Texts with rules planted in them, and the filter that the rules make: for the tests and the bench of the isolation search.
//! Seeded and self-contained: neutral text is drawn from a small lexicon of everyday words, with rare words made of common
//! characters between them so that word borders are no more certain than in real text.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::path::Path;

use lacuna_inference::isolation::{Answer, Question};

/// The `SplitMix64` generator: enough for a generator of test texts.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from((u128::from(self.next()) * n as u128) >> 64).unwrap()
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// Everyday words, the most frequent first.
const WORDS: &str = "的 了 在 是 和 有 也 就 不 都 一个 他们 我们 这 上 说 到 很 去 会 着 看 好 自己 这样 没有 大家 今天 时候 可以 因为 所以 但是 如果 已经 \
还是 什么 这些 那些 这里 那里 现在 开始 生活 工作 学习 孩子 老师 学生 学校 朋友 家里 城市 农村 公园 天气 下雨 晴天 春天 夏天 秋天 冬天 早上 晚上 中午 周末 \
星期 时间 地方 东西 问题 事情 方法 办法 机会 经验 知识 文化 历史 音乐 电影 电视 报纸 杂志 图书馆 书店 故事 小说 诗歌 画家 作家 演员 导演 观众 比赛 足球 \
篮球 乒乓球 运动员 教练 冠军 成绩 训练 身体 健康 医院 医生 护士 病人 药品 治疗 检查 手术 休息 睡觉 吃饭 早餐 午餐 晚餐 米饭 面条 饺子 蔬菜 水果 苹果 香蕉 \
西瓜 葡萄 牛奶 面包 鸡蛋 牛肉 羊肉 鱼 茶叶 咖啡 厨房 餐厅 商店 超市 市场 价格 便宜 质量 服务 顾客 老板 公司 工厂 企业 产品 生产 技术 机器 设备 电脑 手机 \
网络 软件 汽车 火车 飞机 地铁 公交车 自行车 道路 桥梁 车站 机场 码头 旅行 旅客 宾馆 风景 山区 河流 湖泊 海边 森林 草原 沙漠 动物 植物 花园 树木 大熊猫 \
老虎 小狗 小猫 鸟类 保护 环境 污染 垃圾 空气 水源 能源 电力 煤炭 石油 天然气 太阳 月亮 星星 地球 科学 科学家 研究 实验 发现 发明 数学 物理 化学 生物 \
地理 语文 英语 考试 毕业 大学 中学 小学 幼儿园 教育 培养 青年 老人 妇女 儿童 家庭 父亲 母亲 爷爷 奶奶 哥哥 妹妹 邻居 同事 同学 客人 结婚 生日 礼物 节日 \
春节 中秋节 农历 传统 习惯 民间 艺术 舞蹈 戏剧 京剧 书法 绘画 摄影 展览 博物馆 参观 介绍 说明 表示 认为 觉得 希望 喜欢 愿意 需要 应该 能够 必须 努力 \
认真 仔细 积极 主动 热情 高兴 快乐 幸福 满意 感谢 帮助 支持 关心 照顾 合作 参加 组织 活动 会议 报告 计划 准备 安排 完成 提高 增加 减少 改善 发展 建设 \
管理 经济 贸易 投资 银行 货币 收入 消费 农民 农业 粮食 小麦 玉米 水稻 棉花 丰收 土地 果园 养殖 工人 工程 建筑 房屋 楼房 材料 钢铁 水泥 木材 玻璃 塑料 \
纺织 服装 衣服 鞋子 帽子 颜色 红色 绿色 蓝色 白色 黑色 漂亮 美丽 干净 安静 热闹 方便 简单 复杂 困难 容易 重要 主要 基本 一般 特别 非常 比较 更加 逐渐 \
突然 终于 首先 然后 最后 同时 以后 以前 附近 周围 中间 旁边 前面 后面 东部 西部 南方 北方 中央气象台 预报 气温 降水 大风 台风 暴雨 小雪 雾霾 阳光 温暖 \
寒冷 凉爽 干燥 湿润 米 公里 公斤 小时 分钟 年 月 日 元 百分之 第一 第二 许多 几个 各种 全部 部分 大约 左右 超过 达到 接近 三 五 十 百 千 万 两 个 次 \
张老师 李医生 王师傅 陈先生 刘女士 记者 采访 报道 消息 读者 来信 编辑 出版 印刷 文章 内容 题目 意思 语言 文字 汉字 拼音 词典";

/// Characters that rare words are made of.
const CHARACTERS: &str = "安白宝北本边才长常成城处川春大德地东都发方飞丰风福高格根工光广国果海河合和红湖花华化怀环惠吉家嘉江金京景静久军开康科兰乐雷力丽利林灵流龙\
马美门民明南年宁平奇千青清庆秋全泉仁日荣山上尚生胜石时树水思松苏泰天田通同万旺维文武西希夏先香祥新信星兴秀雪亚阳洋业义艺英永友雨玉元园远月云泽正志中州珠子";

const STOPS: [&str; 10] = ["，", "，", "，", "，", "。", "。", "、", "；", "：", "！"];

/// Where neutral text comes from.
#[derive(Clone)]
pub enum Source {
    /// The lexicon above.
    Lexicon { words: Vec<&'static str>, sums: Vec<f64>, characters: Vec<char> },
    /// Sentences of segmented running text, a line each, words separated by blanks and each perhaps followed by `/tag`.
    Running(Vec<Vec<String>>),
}

impl Source {
    pub fn lexicon() -> Self {
        let words: Vec<&str> = WORDS.split_whitespace().collect();
        let mut sum = 0.0;
        let sums = (0..words.len())
            .map(|rank| {
                sum += 1.0 / (rank as f64 + 8.0);
                sum
            })
            .collect();
        Self::Lexicon { words, sums, characters: CHARACTERS.chars().collect() }
    }

    pub fn running(path: &Path) -> std::io::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        let line = |line: &str| {
            line.split_whitespace().map(|word| word.rsplit_once('/').map_or(word, |(word, _)| word).to_owned()).collect()
        };
        Ok(Self::Running(text.lines().map(line).filter(|words: &Vec<String>| !words.is_empty()).collect()))
    }

    /// About `length` characters, as words.
    pub fn words(&self, length: usize, dice: &mut Dice) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        let mut total = 0;
        match self {
            Self::Running(lines) => {
                let mut line = dice.below(lines.len());
                while total < length {
                    for word in &lines[line % lines.len()] {
                        if total >= length {
                            break;
                        }
                        total += word.chars().count();
                        words.push(word.clone());
                    }
                    line += 1;
                }
            }
            Self::Lexicon { words: lexicon, sums, characters } => {
                let mut since_stop = 0;
                while total < length {
                    let word = if since_stop > 3 && dice.unit() < 0.16 {
                        since_stop = 0;
                        (*dice.pick(&STOPS)).to_owned()
                    } else if dice.unit() < 0.2 {
                        let size = [1, 2, 2, 2, 3, 3][dice.below(6)];
                        (0..size).map(|_| *dice.pick(characters)).collect()
                    } else {
                        let at = dice.unit() * sums.last().unwrap();
                        lexicon[sums.partition_point(|sum| *sum < at).min(lexicon.len() - 1)].to_owned()
                    };
                    since_stop += 1;
                    total += word.chars().count();
                    words.push(word);
                }
            }
        }
        words
    }
}

/// A rule: all of its components, in any order.
pub type Rule = Vec<String>;

/// Neutral text of `length` characters with rules and distractors planted at word borders.
pub fn plant(rules: &[&Rule], distractors: &[String], length: usize, source: &Source, dice: &mut Dice) -> String {
    let parts: BTreeSet<&String> = rules.iter().flat_map(|rule| rule.iter()).collect();
    let mut inserted: Vec<&String> = parts.iter().copied().collect();
    if !distractors.is_empty() {
        for _ in 0..length / 40 {
            let distractor = dice.pick(distractors);
            if !parts.contains(distractor) {
                inserted.push(distractor);
            }
        }
    }
    let needed: usize = inserted.iter().map(|part| part.chars().count()).sum();
    let mut words = source.words(length.saturating_sub(needed).max(length / 10), dice);
    for part in inserted.into_iter().rev() {
        let at = dice.below(words.len() + 1);
        words.insert(at, part.clone());
    }
    words.concat()
}

/// Losses of a channel.
pub struct Loss {
    pub rate: f64,
    /// Mean messages in a burst; 1 is independent loss.
    pub burst: f64,
    bad: bool,
}

impl Loss {
    pub fn new(rate: f64, burst: f64) -> Self {
        Self { rate, burst, bad: false }
    }

    /// Whether the next message is lost (Gilbert-Elliott: all are lost in the bad state, none in the good).
    pub fn strikes(&mut self, dice: &mut Dice) -> bool {
        if self.rate <= 0.0 {
            return false;
        }
        if self.burst <= 1.0 {
            return dice.unit() < self.rate;
        }
        let leave = 1.0 / self.burst;
        let enter = leave * self.rate / (1.0 - self.rate);
        self.bad = if self.bad { dice.unit() >= leave } else { dice.unit() < enter };
        self.bad
    }
}

/// A rule of a policy, in full.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub all: Vec<String>,
    /// Combinations any of which disables the rule.
    pub unless: Vec<Vec<String>>,
    /// Whether the components must come in this order.
    pub ordered: bool,
}

impl Filter {
    pub fn of(rule: &Rule) -> Self {
        Self { all: rule.clone(), ..Self::default() }
    }

    pub fn fires(&self, message: &str) -> bool {
        let all = |parts: &[String]| parts.iter().all(|part| message.contains(part.as_str()));
        let hit = if self.ordered {
            let mut rest = message;
            self.all.iter().all(|part| match rest.find(part.as_str()) {
                Some(at) => {
                    rest = &rest[at + part.len()..];
                    true
                }
                None => false,
            })
        } else {
            all(&self.all)
        };
        hit && !self.unless.iter().any(|parts| all(parts))
    }
}

/// The platform: filters behind a lossy channel.
pub struct Platform {
    pub filters: Vec<Filter>,
    pub loss: Loss,
    pub dice: Dice,
    /// Whether a drop counts only if a control sent right after it arrives, and one right before it had.
    pub bracketed: bool,
    /// Share of the messages with a rule in them on which the filter acts.
    pub enforcement: f64,
    pub messages: u32,
    pub controls: u32,
}

/// The separator between fragments.
pub const SEPARATOR: &str = "\u{1f}";

/// The message of a question.
pub fn message(text: &str, question: &Question) -> String {
    let fragments: Vec<&str> = question.fragments.iter().map(|range| &text[range.clone()]).collect();
    fragments.join(SEPARATOR)
}

impl Platform {
    pub fn new(filters: Vec<Filter>, rate: f64, burst: f64, seed: u64) -> Self {
        Self {
            filters,
            loss: Loss::new(rate, burst),
            dice: Dice::new(seed),
            bracketed: burst > 1.0,
            enforcement: 1.0,
            messages: 0,
            controls: 0,
        }
    }

    pub fn blocks(&self, message: &str) -> bool {
        self.filters.iter().any(|filter| filter.fires(message))
    }

    /// Sends a question until its answer counts.
    pub fn ask(&mut self, text: &str, question: &Question) -> Answer {
        let blocked = self.blocks(&message(text, question));
        loop {
            let before = !self.bracketed || {
                // The message before it was a control or another candidate: what matters is the state of the channel.
                !self.loss.bad
            };
            self.messages += 1;
            let lost = self.loss.strikes(&mut self.dice);
            let acts = blocked && (self.enforcement >= 1.0 || self.dice.unit() < self.enforcement);
            if !lost && !acts {
                return Answer::Delivered;
            }
            if !self.bracketed {
                return Answer::Dropped;
            }
            self.controls += 1;
            let after = !self.loss.strikes(&mut self.dice);
            if before && after {
                return Answer::Dropped;
            }
            // Void: wait until the channel is back, then again.
            while self.loss.strikes(&mut self.dice) {
                self.controls += 1;
            }
        }
    }
}

/// Whether the parts, alone and separated, are a minimal trigger: they block, and neither without one of them nor with one
/// of them cut by a character at either end.
pub fn is_minimal(filters: &[Filter], parts: &[&str]) -> bool {
    let blocks = |parts: &[&str]| {
        let message = parts.join(SEPARATOR);
        filters.iter().any(|filter| filter.fires(&message))
    };
    if !blocks(parts) {
        return false;
    }
    (0..parts.len()).all(|at| {
        let mut without: Vec<&str> = parts.to_vec();
        without.remove(at);
        let part = parts[at];
        let mut cut_front = parts.to_vec();
        cut_front[at] = &part[part.chars().next().map_or(0, char::len_utf8)..];
        let mut cut_back = parts.to_vec();
        cut_back[at] = &part[..part.len() - part.chars().next_back().map_or(0, char::len_utf8)];
        !blocks(&without) && !blocks(&cut_front) && !blocks(&cut_back)
    })
}

/// Rule lists: earlier ones, known to the prior, and a later one, planted.
#[derive(Clone)]
pub struct Lists {
    pub earlier: Vec<Rule>,
    pub later: Vec<Rule>,
    pub origin: &'static str,
}

/// Fields of a line of CSV.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.trim_end_matches('\r').chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    fields.push(field);
    fields
}

fn rule_of(keyword: &str, blanks_join: bool) -> Rule {
    let joiner = |c: char| c == '+' || c == '＋' || (blanks_join && c.is_whitespace());
    let parts: BTreeSet<String> = keyword
        .split(joiner)
        .map(|part| part.chars().filter(|c| !c.is_whitespace()).collect::<String>())
        .filter(|part| !part.is_empty())
        .collect();
    parts.into_iter().collect()
}

fn rules_of(path: &Path, column: &str) -> Option<Vec<Rule>> {
    let text = std::fs::read_to_string(path).ok()?;
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let header = fields(lines.next()?);
    let keyword = header.iter().position(|name| name == column)?;
    let kind = header.iter().position(|name| name == "Keyword Type ");
    let mut rules = Vec::new();
    for line in lines {
        let row = fields(line);
        let combo = kind.and_then(|kind| row.get(kind)).is_some_and(|kind| kind == "combo");
        if let Some(rule) = row.get(keyword).map(|keyword| rule_of(keyword, combo))
            && !rule.is_empty()
        {
            rules.push(rule);
        }
    }
    Some(rules)
}

impl Lists {
    /// The published lists of a messenger's rules: those of 2016 and 2017 are the earlier ones, that on the 19th congress the later.
    pub fn published(folder: &Path) -> Option<Self> {
        let mut earlier: BTreeSet<Rule> = BTreeSet::new();
        earlier.extend(rules_of(&folder.join("wechat/709crackdown/all-keywords.csv"), "Keyword")?);
        earlier.extend(rules_of(&folder.join("wechat/lxb/liu_xiaobo_keywords_wechat.csv"), "Keyword")?);
        earlier.extend(rules_of(&folder.join("wechat/one_app_two_systems/wechat_blocked_keywords.csv"), "Keyword")?);
        let later: BTreeSet<Rule> = rules_of(&folder.join("wechat/ncpc19/ncpc19_wechat.csv"), "keyword")?.into_iter().collect();
        let later = later.difference(&earlier).cloned().collect();
        Some(Self { earlier: earlier.into_iter().collect(), later, origin: "published lists" })
    }

    /// Rules of one to four made-up terms; a fifth of the terms of the later list stood in the earlier one.
    pub fn synthetic(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let source = Source::lexicon();
        let term = |dice: &mut Dice| loop {
            let words = source.words(1 + dice.below(4), dice);
            let term: String = words.concat();
            let length = term.chars().count();
            if (2..=7).contains(&length) && term.chars().all(char::is_alphanumeric) {
                return term;
            }
        };
        let terms: Vec<String> = (0..900).map(|_| term(&mut dice)).collect();
        let mut rules = |count: usize, from: &[String]| -> BTreeSet<Rule> {
            (0..count)
                .map(|_| {
                    let size = 1 + dice.below(4);
                    let parts: BTreeSet<String> = (0..size).map(|_| dice.pick(from).clone()).collect();
                    let parts: Vec<String> = parts.into_iter().collect();
                    let inside = |part: &String| parts.iter().any(|other| other != part && other.contains(part.as_str()));
                    parts.iter().filter(|part| !inside(part)).cloned().collect()
                })
                .collect()
        };
        let earlier = rules(400, &terms[..500]);
        let later = rules(300, &terms[400..]);
        Self { earlier: earlier.into_iter().collect(), later: later.into_iter().collect(), origin: "synthetic rules" }
    }

    pub fn components(&self) -> Vec<String> {
        let all: BTreeSet<&String> = self.earlier.iter().chain(&self.later).flatten().collect();
        all.into_iter().cloned().collect()
    }
}

/// A published policy: rules, each with the combinations that lift it.
pub fn mail_policy(folder: &Path) -> Option<Vec<Filter>> {
    let rules = std::fs::read_to_string(folder.join("censored.txt")).ok()?;
    let exceptions = std::fs::read_to_string(folder.join("extenuating.csv")).ok()?;
    let mut policy: Vec<Filter> =
        rules.lines().map(|line| rule_of(line, false)).filter(|rule| !rule.is_empty()).map(|rule| Filter::of(&rule)).collect();
    for line in exceptions.lines().skip(1) {
        let row = fields(line);
        let (Some(exception), Some(lifted)) = (row.first(), row.get(2)) else { continue };
        let exception = rule_of(exception, false);
        for lifted in lifted.split(',').map(|rule| rule_of(rule, false)) {
            if let Some(filter) = policy.iter_mut().find(|filter| filter.all == lifted) {
                filter.unless.push(exception.clone());
            }
        }
    }
    Some(policy)
}

/// The rules of a monotone policy that a text triggers, without those that hold another.
pub fn minimal_rules(filters: &[Filter], text: &str) -> BTreeSet<BTreeSet<String>> {
    let fire: Vec<&Filter> = filters.iter().filter(|filter| filter.fires(text)).collect();
    // Within a rule, a component inside another one adds nothing.
    let parts = |filter: &Filter| -> BTreeSet<String> {
        let inside = |part: &String| filter.all.iter().any(|other| other != part && other.contains(part.as_str()));
        filter.all.iter().filter(|part| !inside(part)).cloned().collect()
    };
    let sets: BTreeSet<BTreeSet<String>> = fire.iter().map(|filter| parts(filter)).collect();
    let implied = |set: &BTreeSet<String>| {
        sets.iter().any(|other| other != set && other.iter().all(|part| set.iter().any(|of| of.contains(part.as_str()))))
    };
    sets.iter().filter(|set| !implied(set)).cloned().collect()
}
