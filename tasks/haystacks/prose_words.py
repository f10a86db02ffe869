"""The words, phrases and plots of the ``prose`` haystack: data only, read by ``prose``.

``{name}`` asks for an alternative of another table and ``[this|that]`` chooses on the spot. An underscore is a space
inside an entry of a word table, a slash stands before an irregular form. In phrases and plots an indented line
continues the line above it.
"""


WORDS: dict[str, str] = {
    "adj2": """
        ancient awkward baffling beautiful bewildering comfortable comical common costly curious difficult dismal
        dreadful dull excellent expensive fashionable foolish graceful harmless honourable imperfect important
        improbable ludicrous magnificent marvellous memorable mysterious necessary ordinary painful peculiar perfect
        pitiful plausible pleasant pointless popular precious profitable puzzling rare reasonable remarkable
        respectable ridiculous risky sad satisfactory scandalous sensible shameful simple singular splendid strange
        suitable suspicious tedious tiresome tolerable tragic tricky trifling troublesome ugly unlikely unpleasant
        unsuitable untidy valuable wasteful wonderful worthless worthy
    """,
    "adverb": """
        absently anxiously bitterly bluntly boldly bravely briefly briskly calmly carefully cautiously cheerfully
        clumsily coldly crossly curiously deftly deliberately dryly eagerly earnestly easily eventually faithfully
        fervently firmly fondly frankly freely generously gently gladly gloomily gracefully gratefully gravely
        grudgingly happily hastily heartily hesitantly hopefully humbly idly impatiently joyfully kindly lazily loudly
        loyally meekly merrily mildly modestly nervously obediently openly patiently peacefully politely promptly
        proudly quickly quietly readily reluctantly roughly sadly seriously shyly silently sleepily slowly softly
        solemnly steadily sternly stiffly stoutly stubbornly swiftly tactfully tenderly thoughtfully timidly
        unwillingly urgently warily warmly wearily willingly wisely wistfully
    """,
    "ailment": """
        aching_joints bad_dreams baldness blisters boils bruises catarrh chilblains colds colic coughs cramp deafness
        earache fever gout hay_fever headaches heartache heartburn hiccups hoarseness homesickness indigestion itching
        lumbago melancholy nosebleeds palsy quarrels restlessness rheumatism seasickness shivering sleeplessness
        sneezing sore_eyes sore_feet sore_throats sprains stiffness stings toothache warts wheezing
    """,
    "badj": """
        aged barefoot bedraggled blind bold brindled bristling brown contented cowardly cross dappled drenched drowsy
        fat fierce frightened gaunt gentle glossy greedy hungry idle injured lame lazy lean limping lonely lost mangy
        muddy nervous nimble obedient old pampered patient piebald placid plump proud ragged restless savage scruffy
        shaggy shy silent sleek sleepy small solitary speckled spotted stout stray stubborn sullen swift tame thirsty
        timid tired tireless unruly wary wet white wild wise young
    """,
    "beast": """
        badger bear bullfrog calf/calves cat colt cow deer/deer dog donkey elk/elk ferret foal fox frog goat
        goose/geese hare hedgehog heifer hen horse hound kitten lamb lizard lynx marten mole mouse/mice mule newt
        otter ox/oxen pig polecat pony puppy rabbit ram rat shrew snail spaniel squirrel stag stallion stoat swan
        terrier toad tortoise vole weasel wildcat wolf/wolves
    """,
    "beast2": """
        badger bear dormouse/dormice fox hare hedgehog lizard lynx marten mole mouse/mice newt otter polecat rat shrew
        squirrel stoat toad tortoise vole weasel wildcat
    """,
    "beastpart": """
        back belly brow cheeks chest coat ears eyes face feet flanks forehead haunches muzzle neck nose paws shoulders
        tail throat whiskers
    """,
    "beastword": """
        adder badger bear bishop bitter boar bull candle cat cock copper cow crow devil dog dove fair false fever fire
        fox frost ghost goat golden goose hare hawk hen hog honey horn horse hound king knight lady lamb lark lion
        maiden mare milk monk moon mouse night owl ox pig pilgrim priest queen rat raven river rook shepherd silver
        sleep snake sour sparrow stone sun swallow sweet swine thunder toad viper water widow winter wolf
    """,
    "bird": """
        avocet bittern blackbird bunting buzzard chaffinch coot cormorant corncrake crake crane crow cuckoo curlew
        dipper diver dotterel dove duck dunlin eagle egret falcon fieldfare finch flycatcher goldfinch goose/geese
        goshawk grebe grouse/grouse gull harrier hawk heron hobby hoopoe jackdaw jay kestrel kingfisher kite lapwing
        lark linnet magpie mallard martin merlin nightingale nightjar nuthatch oriole osprey ouzel owl partridge
        pelican petrel pheasant pigeon pipit plover puffin quail rail raven redstart robin rook sandpiper shrike
        skylark snipe/snipe sparrow spoonbill starling stonechat stork swallow swan swift teal tern thrush treecreeper
        wagtail warbler waxwing wheatear whimbrel whinchat woodcock woodlark woodpecker wren yellowhammer
    """,
    "birdpart": """
        back beak belly bill breast breast_feathers cap cheek claws collar crest crown eyes feet flanks forehead legs
        mantle neck rump shoulders tail throat underparts wings wingtips
    """,
    "bladj": """
        abandoned ancient blackened borrowed bustling crooked crowded damp derelict deserted dilapidated draughty
        empty famous fine flooded former freezing gloomy grand half_built handsome haunted humble ivied leaking
        leaning lofty lonely modest neglected new noisy old plain poor private prosperous public quiet ramshackle
        reputable roofless ruined rundown shabby shuttered silent small snug solitary spacious square stately stone
        tall thatched timbered tumbledown unfinished unlit vacant vast venerable weathered whitewashed windowless
        windy
    """,
    "bpart": """
        back_door balcony beams bell_rope boiler ceiling cellar_steps chimney corner_post cornice courtyard doorstep
        drain floor front_door gable gallery gate gutter hearth hinges lintel pillars porch rafters railings roof
        shutters signboard skylight staircase steps threshold tiles wall weathervane window windowsill woodwork
    """,
    "building": """
        abbey almshouse archway armoury bakehouse bakery barn barracks bathhouse belfry boathouse brewery bridge byre
        chapel churchyard cider_press coaching_inn colonnade cookhouse cottage courthouse cowshed customs_house dairy
        dovecote dyehouse farmhouse ferry_landing fishmarket forge foundry fountain gatehouse glasshouse granary
        guardhouse guildhall hayloft henhouse hospital icehouse infirmary jetty kennels kiln library lighthouse lockup
        lodge malthouse manor marketplace menagerie mill millhouse mint oasthouse observatory orangery orphanage
        paper_mill parsonage playhouse poorhouse postern pottery prison quay sawmill schoolhouse shipyard shrine
        silk_mill slaughterhouse smithy smokehouse spinning_house stable storehouse tannery tavern theatre tithe_barn
        toll_gate tower town_hall townhouse warehouse washhouse watchtower watermill weighhouse wharf windmill
        woolshed workhouse
    """,
    "color": """
        amber ashen azure black blue bronze brown copper cream crimson dun emerald fawn golden green grey indigo ivory
        lilac mauve ochre olive orange pale pearl pink plum purple red rose russet saffron scarlet silver slate tawny
        violet white yellow
    """,
    "crop": """
        apple barley bean berry cherry clover corn flax grape hay hazel hemp hop lavender lentil linseed millet
        mustard oat olive onion pea pear plum potato pumpkin quince rye saffron turnip walnut wheat willow
    """,
    "dayadj": """
        airless blustery bright brilliant chill clear cloudless cold damp drab dreary drizzling dry dull fine foggy
        freezing frosty gloomy golden grey hazy hot icy mild misty moonless muggy overcast pleasant quiet rainy raw
        scorching showery snowy soft squally stifling still stormy sultry sunless sunny thundery warm wet wild
        windless windy wintry
    """,
    "dayname": """
        baking_day brewing_day council_day court_day feast_day ferry_day harvest_day holiday market_day pay_day
        rent_day sailing_day shearing_day washing_day wedding_day
    """,
    "disaster": """
        accident avalanche bankruptcy cattle_plague drought epidemic explosion famine fever fire flood frost gale
        hailstorm hurricane landslide quarrel riot robbery shipwreck shortage siege snowstorm storm strike subsidence
    """,
    "fairword": """
        apple barley basket bell berry blanket book bread broom butter candle cattle cheese cherry chestnut cider clay
        cloth cream crockery drum eel egg feather fiddle fish flax flower furniture goat goose grain harness hay
        herring hiring honey horse kite lace lamb lantern leather linen maple mask mule mushroom oat onion oyster pear
        pepper pig plum pony pottery poultry puppet rag ram ribbon rope rush salmon salt seed sheep silk spice straw
        sugar thimble timber toy tulip turnip walnut wheel whistle willow wine wool yarn
    """,
    "feeling": """
        alarm amazement amusement annoyance anxiety astonishment awe bewilderment boredom caution chagrin compassion
        concern contentment curiosity delight despair disappointment disbelief discomfort dismay distrust dread
        embarrassment envy excitement fear fondness gratification gratitude grief homesickness impatience indignation
        interest irritation jealousy joy longing melancholy nostalgia outrage pain pity pleasure pride puzzlement
        regret relief reluctance remorse resentment respect satisfaction scorn shame sorrow surprise suspicion
        sympathy tenderness terror unease vexation wonder worry
    """,
    "fish": """
        barbel bass bream brill carp chub cod dace dory eel flounder grayling gudgeon gurnard haddock hake halibut
        herring lamprey ling loach mackerel minnow mullet perch pike pilchard plaice pollack roach rudd salmon shad
        smelt sole sprat sturgeon tench trout turbot
    """,
    "flower": """
        anemone aster bluebell buttercup campion celandine columbine cornflower cowslip crocus daffodil dahlia daisy
        foxglove gentian harebell heather hellebore hollyhock honeysuckle hyacinth iris jasmine kingcup larkspur lily
        lupin marigold orchid pansy peony pimpernel pink poppy primrose rose saxifrage snowdrop speedwell stonecrop
        sunflower teasel trefoil tulip vetch violet wallflower
    """,
    "food": """
        apple_dumplings baked_eels barley_broth bean_stew black_bread boiled_ham bread_and_dripping buttered_parsnips
        cabbage_soup cheese_pie cherry_tart cold_mutton custard damson_jam dried_figs duck_pie elderberry_wine
        fish_stew fresh_curds fried_herring ginger_cake goat_cheese gooseberry_pudding honey_cake hot_chestnuts
        leek_soup lentil_porridge mulled_cider mushroom_pie mutton_stew nettle_soup new_bread oat_biscuits onion_pie
        pea_soup pear_preserve pickled_walnuts plum_pudding potato_cakes quince_jelly rabbit_stew raisin_buns
        roast_goose roasted_turnips rye_bread salt_pork seed_cake smoked_trout spiced_beer stewed_pears suet_pudding
        toasted_cheese trout_in_butter venison_pasty warm_milk watercress_soup wild_strawberries
    """,
    "garment": """
        apron bonnet breeches cap cape cloak coat collar doublet frock gloves gown hat hood jacket jerkin mantle
        mittens nightshirt overcoat petticoat sash scarf shawl shirt skirt smock stockings trousers tunic veil
        waistcoat
    """,
    "goods": """
        acorns almonds alum amber apples ash bacon barley barrels beads beans beef beeswax bells blankets bones books
        boots bottles bread bricks bristles brooms brushes butter buttons candles canvas caps carpets chalk charcoal
        cheese cherries chestnuts cider cinnamon clay cloaks cloth cloves coal combs copper coral cordage cork corn
        cotton crockery currants dates dyes earthenware eels eggs feathers felt figs firewood flax flints flour furs
        ginger glass glassware gloves glue goatskins grain granite grapes gravel hams harness hats hay hazelnuts hemp
        herbs herring hides honey hops horn horseshoes ink iron ivory jewels kindling lace lamps lard lavender lead
        leather lemons lentils lime limestone linen linseed lumber malt maps marble medlars milk millet millstones
        mushrooms mustard mutton nails nets nutmeg nuts oak oats oil olives onions oysters paint paper parchment
        parsnips peaches pearls pears peas peat pelts pepper pewter pickles pigments pitch plums porcelain potatoes
        pots poultry quills quinces rabbits raisins resin ribbons rope rosewood rushes rye saffron salt saltfish
        sandstone sealskins seed sheepskins silk silver slates soap spices straw sugar syrup tallow tar tea thread
        tiles timber tin tobacco tools toys treacle trinkets turnips turpentine twine varnish veal velvet vinegar
        walnuts wax wheat whetstones willow wine wire wool yarn
    """,
    "great": """
        considerable endless evident exceptional extraordinary fierce genuine great growing habitual little natural
        ordinary painful perfect remarkable renewed simple steady studied sudden surprising tireless touching
        tremendous true uncommon unexpected unfailing unusual visible
    """,
    "herb": """
        agrimony angelica basil betony borage burdock camomile caraway chervil chickweed chicory clover coltsfoot
        comfrey coriander costmary dill dock elecampane fennel feverfew garlic goosegrass hawthorn horehound
        horseradish hyssop lavender lovage mallow marigold marjoram meadowsweet mint mugwort mustard nettle parsley
        pennyroyal plantain purslane rosemary rue sage savory sorrel spearmint tansy tarragon thistle thyme valerian
        vervain watercress woodruff wormwood yarrow
    """,
    "inadj": """
        careful cold comfortable companionable complete cordial gloomy grave icy mutual obstinate ominous patient
        perfect polite respectful solemn sulky thoughtful uneasy
    """,
    "insect": """
        ant bee beetle bumblebee butterfly caddisfly caterpillar cockchafer cranefly cricket damselfly dragonfly
        earwig firefly froghopper glowworm gnat grasshopper hornet hoverfly lacewing ladybird mayfly midge mosquito
        moth pond_skater sawfly slug snail spider stag_beetle stonefly wasp water_beetle weevil woodlouse/woodlice
        worm
    """,
    "kin": """
        aunt brother cousin daughter father godfather godmother grandfather grandmother mother nephew niece sister son
        uncle
    """,
    "ladj": """
        bare barren bleak boggy bracken briny broad broken chalky clear cold craggy crooked dark deep desolate distant
        dry empty fertile flat foggy forgotten fragrant gentle gloomy grassy gravelly green heathery high hollow icy
        lonely long low marshy mild misty mossy muddy narrow open pathless peaceful pebbly pleasant quiet reedy remote
        rocky rolling rugged rushy sandy shaded shallow sheltered silent silvery sloping snowbound soft sombre stark
        steep still stony sunken sunlit swampy tangled thorny tranquil treeless wet wild winding windswept windy
        wooded
    """,
    "landform": """
        bank basin bay beach bluff bog brook canyon cave chasm clearing cliff coombe copse cove crag creek crest dale
        dell ditch downland estuary fen field ford forest gap glade glen gorge grove gully headland heath hedgerow
        hill hillock hillside hollow inlet island knoll lagoon lake ledge lowland marsh meadow mere mire moor mound
        mountain orchard outcrop pass pasture peak peninsula plain plateau pond pool promontory quarry ravine ridge
        riverbank sandbar scarp shore slope spinney spring spur stream summit swamp terrace thicket tor upland vale
        valley warren waterfall waterside wood
    """,
    "long": """
        awful bitter brief celebrated dreadful famous final first great last late legendary long memorable miserable
        notorious second short sudden terrible third unexpected unseasonable
    """,
    "material": """
        alder applewood ash basalt bone boxwood brass brick bronze canvas cedar chalk cherrywood clay copper cork
        driftwood elm felt flint glass granite gritstone hazel holly horn iron ivory larch lead leather limestone
        linen maple marble oak oilcloth pearwood peat pewter pine porcelain reed resin rosewood rowan sailcloth
        sandstone sheepskin silver slate spruce steel tin walnut wax wicker willow wool yew
    """,
    "oadj": """
        battered bent blackened blunt brass brittle broad broken burnished carved chipped clumsy coarse copper cracked
        crooked curved dainty damp delicate dented dusty elegant empty enormous faded fine flimsy forgotten fragile
        gilded glazed graceful greasy handsome heavy hollow homely humble ingenious inlaid iron knotted lacquered
        leaden lopsided massive mended modest mossy muddy narrow neat neglected nimble notched oaken oiled old ornate
        oval painted patched peculiar pewter plain polished precious pretty quaint ragged rickety rough round rusted
        rusty scorched scratched scuffed shabby shallow shapely silent simple sleek slender small smoky smooth solid
        spare splendid square squat squeaking stained stout striped stubborn sturdy swollen tall tarnished tattered
        thin threadbare tin tiny tired twisted unfinished unpainted varnished warped waxed weathered weighty wide
        wooden woollen worn wretched
    """,
    "object": """
        anvil apron axe balance barrel basin basket bell bench blanket bobbin bolster bonnet bottle bowl bracelet
        brazier bridle brooch broom bucket buckle cabinet candlestick cask casket cauldron chair chest chisel churn
        cloak clock coat coffer compass cradle crate crock cupboard curtain cushion dial dresser drum easel fiddle
        flagon flask flute funnel goblet grate griddle grindstone hammer hamper handcart harness harp hatchet hinge
        inkwell jar jug kettle keyring ladder ladle lamp lantern ledger lens lid locket loom lute mallet mantle map
        mask mattress mirror mortar mug necklace oar oven padlock pail painting pan parasol pestle picture pillow pipe
        pitcher plate platter plough portrait pot pulley purse quilt rack rake razor ribbon ring rope rudder rug sack
        saddle sampler satchel saucepan scale screen scroll scythe shawl shelf shovel shutter sickle sieve sign
        skillet sledge spade spindle spoon stool stove strongbox sundial table tankard tapestry teapot telescope tent
        thimble tinderbox torch tray trestle trough trowel trumpet trunk tub umbrella urn vase vest violin wagon
        wardrobe washtub wheel wheelbarrow whistle windlass
    """,
    "objpart": """
        base blade bottom buckle catch chain clasp cord corner cover crank edge foot frame handle heel hinge hook key
        knob latch lid lining lip lock mouth peg pin rim ring rope screw seam spout spring strap string tip tongue
    """,
    "padj": """
        amiable anxious awkward bashful blunt boastful bold brisk broad careful cautious cheerful clever clumsy
        courteous cunning curious devout dignified diligent dour dreamy eager earnest elderly energetic excitable
        fearless forgetful forgiving frail friendly frugal garrulous generous gentle gloomy good graceful greedy
        grumpy hearty humble idle impatient ingenious jovial kindly lanky learned lively loyal meek merry methodical
        mild modest nervous nimble obliging obstinate old outspoken patient plump polite practical proud prudent
        quarrelsome quiet reserved restless sceptical scrupulous sensible serious shrewd shy silent sleepy sociable
        solemn solitary spirited stately steady stern stooping stout strict stubborn sturdy suspicious talkative tall
        thin thoughtful thrifty timid tireless truthful unhurried vain vigilant wary watchful weary widowed wiry wise
        witty young
    """,
    "path": """
        alley avenue bridleway byway canal cart_track causeway cliff_path coast_road crossroads drove_road dyke
        embankment footbridge footpath ford hedge high_road lane mule_track old_road packhorse_trail path quayside
        ridgeway river_path road roadside sheep_track shoreline steps stream terrace toll_road towpath track trail
        turnpike viaduct wall
    """,
    "plantpart": """
        bark berries blossom bud bulb catkins flowers fruit husk leaf leaves petals pods pollen roots sap seed seeds
        shoots stalks stem tendrils thorns twigs
    """,
    "plantword": """
        bane bell berry blade bloom bonnet breath bush button clover cress crown cup dock eye fennel fern finger flax
        foil foot garland glove grass heal heart herb lace leaf lettuce lily lock mallow mantle mint moss mustard
        nettle pepper petal plume poppy purse reed rocket root rue sedge spike spur star tail thorn thread thyme
        tongue tooth trumpet vetch vine weed wheat whistle willow wort
    """,
    "quality": """
        age beauty colour cost dampness dryness excellence flavour fragrance freshness glut lightness lustre origin
        ownership price purity quality rarity scarcity shortage size smell softness strength taste texture theft value
        weight whiteness
    """,
    "role": """
        angler apprentice auctioneer bailiff baker banker barber beadle beekeeper bellringer blacksmith bookbinder
        bookseller brewer brickmaker broker builder butcher candlemaker captain carpenter carrier carter cartwright
        chandler chaplain clerk clockmaker cobbler collier constable cook cooper cousin curate cutler dairymaid deacon
        doctor drover dyer engraver falconer farmer farrier ferrykeeper fiddler fletcher forester fowler fuller
        gamekeeper gardener gatekeeper glassblower glazier glover goatherd goldsmith governor grocer groom
        harbourmaster hatter herbalist hermit hunter innkeeper joiner judge juggler kilnworker labourer lamplighter
        lawyer librarian locksmith lodger magistrate maltster mapmaker mason merchant messenger miller milliner
        minstrel moneylender neighbour netmaker newcomer novice nurse orphan overseer painter papermaker parson pedlar
        pilgrim pilot piper ploughboy poacher poet porter potter preacher printer quarryworker ranger reaper reeve
        ropemaker saddler sailmaker sailor scholar schoolteacher scribe sculptor seamster sergeant sexton shepherd
        shipwright shopkeeper silversmith smuggler soldier spinner stargazer steward stonecutter stranger student
        surgeon surveyor swineherd tailor tanner thatcher tiler tinker tinsmith trader trapper traveller turner
        vagrant verger veteran vintner wanderer warden washerwoman watchmaker weaver wheelwright whittler widow
        woodcarver woodcutter
    """,
    "room": """
        attic back_parlour bedchamber buttery cellar cloakroom coal_hole counting_house dining_room dormitory
        entrance_hall front_parlour gallery garret hall hayloft kitchen larder laundry library loft lumber_room
        music_room nursery pantry parlour passage porch salting_room scullery sewing_room shop stairwell stillroom
        storeroom strongroom studio study tack_room upper_room vestibule vestry wash_house winter_room workroom yard
    """,
    "season": """
        autumn spring summer winter
    """,
    "shade": """
        cloud dawn dew drizzle dusk fog frost gale hail haze ice lightning mist moonlight rain sleet snow starlight
        storm sunlight thaw thunder twilight wind
    """,
    "sound": """
        bell bells boots chanting cheering church_bells coughing croaking dripping drums echo fiddle flute footsteps
        hammering hooves horn hymns laughter music oars owl pipes rain rattling shouting singing snoring thunder
        trumpet voices water weeping wheels whistle whistling wind
    """,
    "stillness": """
        gloom moonlight order peace quiet rain shadow silence snow solitude stillness sunlight
    """,
    "streetkind": """
        Alley Bank Close Corner Court Gate Hill Lane Passage Place Rise Road Row Square Steps Street Terrace Walk
        Wharf Yard
    """,
    "streetword": """
        Anchor Apple Barley Barrel Basket Bell Bishop Bottle Bread Bridge Broom Butter Candle Chandler Cheese Cherry
        Chestnut Clock Cooper Copper Crane Crooked Crown Dyer Eel Elm Fallow Feather Ferry Fiddle Fish Flax Fletcher
        Fountain Fox Friar Gallows Garden Garland Glover Goose Granary Hammer Harp Hawthorn Hazel Hen Herring Honey
        Hook Ivy Kettle Lantern Larch Leather Lime Linen Long Malt Maple Market Mason Mercer Mill Mint Mustard Nettle
        Oat Orchard Oyster Pear Pepper Pewter Pigeon Pilgrim Potter Pudding Pump Quarry Rope Rose Rush Saddler Salt
        Sexton Shambles Silver Smithy Spring Star Stone Swan Tanner Thistle Thread Timber Turner Vine Wagon Walnut
        Water Weaver Wheel Willow Windmill Wool
    """,
    "tod": """
        cockcrow dawn daybreak dusk first_light midday midnight nightfall noon sunrise sunset twilight
    """,
    "trait": """
        a_bad_knee a_booming_laugh a_crooked_thumb a_deaf_ear a_fine_singing_voice a_fondness_for_riddles
        a_gap_between_the_teeth a_habit_of_humming a_head_for_sums a_heavy_tread a_light_step a_limp a_long_memory
        a_long_stride a_loud_sneeze a_love_of_argument a_mild_squint a_passion_for_maps a_persistent_cough
        a_quick_temper a_restless_mind a_scar_above_the_eye a_sharp_tongue a_slow_smile a_soft_voice
        a_strong_dislike_of_geese a_sweet_tooth a_talent_for_mimicry a_taste_for_plain_food a_weakness_for_gossip
        an_even_temper an_excellent_nose an_eye_for_colour broad_shoulders cold_hands enormous_boots inky_fingers
        large_ears red_hands steady_nerves thick_eyebrows very_small_feet very_white_hair
    """,
    "tree": """
        alder apple ash aspen beech birch blackthorn box cedar cherry chestnut cypress elder elm fir hawthorn hazel
        holly hornbeam juniper larch laurel lime linden maple medlar mulberry oak olive pear pine plane plum poplar
        quince rowan spruce sycamore walnut whitebeam willow yew
    """,
    "vehicle": """
        barge boat bullock_cart canoe carriage cart coach ferry fishing_boat handcart hay_wain mail_coach mule_train
        packhorse punt raft rowing_boat schooner skiff sledge sloop wagon wheelbarrow
    """,
    "virtue": """
        accuracy ambition candour care caution charity cheerfulness common_sense confidence courage courtesy cunning
        curiosity dignity diligence discretion duty economy endurance enthusiasm fairness faith forbearance foresight
        forgiveness generosity gentleness good_humour good_manners goodwill gratitude hard_work honesty hope
        hospitality humility imagination industry ingenuity judgement justice kindness loyalty mercy moderation
        modesty neatness obedience order patience perseverance piety politeness practice prudence punctuality reason
        resolve restraint self_respect silence simplicity sincerity skill sobriety steadiness stubbornness sympathy
        tact temperance thrift tolerance trust truthfulness vigilance wisdom wit zeal
    """,
    "weather": """
        blizzard calm cloudburst cold_spell downpour dry_spell fog freeze frost gale hailstorm heat_wave mist rain
        snow squall storm tempest thaw thunderstorm
    """,
    "wind": """
        bitter damp dry east easterly evening fitful fresh gentle icy light night north northerly salty sea shifting
        south southerly steady strong warm west westerly
    """,
    "wxadj": """
        bitter blustery changeable cold cool damp dismal dreary dry dull fine foggy frosty generous gentle grim hard
        harsh hot hungry late lean long memorable mild miserable mournful muddy peaceful plentiful profitable rainy
        restless ruinous sickly slow snowy soft sorrowful stormy strange sultry sunny thirsty troubled uncertain
        unlucky warm weary wet wild windy wretched
    """,
}
"""Single words by the place they can take in a sentence."""

SYLLABLES: dict[str, str] = {
    "Onset": """
        B Bl Br D Dr F Fl Fr G Gl Gr H J K Kl Kr L M N P Pr Qu R S Sk Sl Sp St T Th Tr V W Wh Y
    """,
    "coda": """
        ch ck d dd ff g l ld ll lm ln lt m mp n nd nn ns nt r rd rk rl rm rn rr rt s sk ss st t th tt v x
    """,
    "female": """
        a ade aine anna anth ara ela elda elle emma enna erine essa ette eva iah ida ila ilde illa ina inda ine ira
        isa isse ith itha ona onie ora orna owen une wen wyn
    """,
    "lastend": """
        all and arrow bain bank beck bell blow bourne brand comb cott dale den dine fall fast fell field fold garth
        gate gill ham hart heath house ing ison kin lake land lark lett ley lock low man mark mer mont moor more nell
        ock over pool quill ridge rock row sall shaw side son stone stow thorn ton twist vane ward way well wick wood
        worth
    """,
    "male": """
        ad am an and ann ard arn eck ek el en er erd eric ern iam ian ick il in ing irn old olf om on or ord orn oth
        uld un und us
    """,
    "middle": """
        br ddr dr ffl gr ld ldr lf ll lm lr lth lv mbr mm mr nd ndr nn nr ns nth nv rd rl rm rn rr rsh rth rv sk sl st
        sth str th thr v vr
    """,
    "placeend": """
        barrow beck borough bourne bridge burn bury by castle combe cross dale den don down fell field firth fold ford
        garth gate glen ham haven head heath hithe holm hurst keld land ley low marsh mere minster moor mouth ness
        over pool port quay reach ridge shaw side stead stoke stone stow strand thorpe thwaite toft ton vale wade
        water well wharf wick wold wood worth
    """,
    "riverend": """
        ain al am an ane ar arrow beck brook el en er erry ess eth ey ine ing is low mer nan ock on or oth ow rill ro
        sk ule une wash water y yn
    """,
    "vowel": """
        a ae ai e ea ei i ia ie io o oa oe ou u y
    """,
}
"""What names are spelt from; every seed keeps half of each."""

PHRASES: dict[str, str] = {
    "work~": """
[mend|patch|repair|polish|clean|repaint|varnish|oil|dust|inspect|straighten|test] {anobj}
[sort|count|weigh|stack|unpack|pack|label|collect|inspect|order|deliver] the {goods}
[load|unload|haul|roll|lift|cart] {goods} [from|into|out of|onto] the {vehicle}
[gather|collect|pick|crush|boil|press|steep] {herb} and {herb}
[plant|weed|water|tend|transplant] the {flower} beside the {building}
[sketch|measure|record|describe] the {ladj} {landform}
[feed|water|brush|comb|groom|shelter|doctor] the {badj} {beast}
[cook|heat|reheat|sweeten|season|sample|salt] the {food}
[mend|paint|whitewash|clean|scour|patch] the {bpart} of the {building}
[sew|patch|darn|wash|fold|alter|hem/hemmed/hemming] {his} {color} {garment}
[order|request|borrow|barter for|collect] {goods} from [a|the] {padj} {role}
[climb|clear|inspect|repair|sweep/swept/sweeping] the {path} [above|behind|beyond|below] the {building}
[consult|question|follow|assist|employ|greet] the {padj} {role}
[sharpen|clean|oil|search for|borrow|return] the {oadj} {object}
[paint|gild|label|restore|mend|wrap/wrapped/wrapping] {anobj} for the {role}
[check|count|correct|repeat|record] the {goods} [twice|once more|at {tod}|with {virtue}]
""",
    "walk~": """
[walk|wander|stroll|march|row|return|hasten|turn|stray|journey|limp] [along|beside|past|towards|up|down] the {ladj}
    {path}
[climb|scramble|clamber|march|walk] [to|up to|over] the {ladj} {landform}
[wander|walk|stroll|hasten|return] [through|into|across] the {ladj} {landform}
[walk|return|hasten|turn back|journey] to the {bladj} {building}
[cross|ford|skirt] the {ladj} {landform} [at {tod}|on foot|by {vehicle}|with {anobj}]
[return|journey|sail|walk|travel/travelled/travelling] [home|inland|upriver|downriver|northward|southward] with {goods}
[linger|rest|loiter|halt] [beside|near|opposite|behind|below] the {bladj} {building}
[follow] a {badj} {beast} [through|across|along] the {landform}
""",
    "talk~": """
[talk|grumble|murmur|mutter|joke|complain|boast] [about|of] {topic}
[quarrel|argue|reason|consult|talk|joke] with the {padj} {role} about {topic}
[insist|explain|remark|answer|protest|murmur|declare|mutter|confess|predict|repeat] that {claim}
[question|remind|consult|lecture|warn|tell/told/telling] the {padj} {role} about {topic}
""",
    "anobj": """
a {oadj} {object}
a {oadj} {object}
a {color} {object}
the {oadj} {object}
a {object} of {oadj} {material}
a {oadj}, {oadj} {object}
the {object} [from|in|behind] the {room}
{his} {oadj} {object}
a {material} {object}
the {color} {object} of a {role}
""",
    "topic": """
the price of {goods}
the {quality} of the {goods}
the {wxadj} {season}
{his} [late|younger|elder|absent|favourite] {kin}
the {crop} harvest
the {event}
the {fair}
the state of the {path}
the {virtue} of {roles}
the {padj} {role} [in|from|at] the {building}
the cost of {material}
the {oadj} {object}
{virtue} and {virtue}
[lost|strayed|stolen|hungry|newborn] {beasts}
the [proper|best|right|only] way to {work}
the uses of {herb}
the [tolls|rents|tithes|wages|taxes] on {goods}
the {bird} [above|beside|behind] the {building}
""",
    "claim": """
the {shade} would [spoil|ruin|delay|damage|improve] the {crop} harvest
no {role} could [judge|mend|sell|carry|paint|repair] a {oadj} {object}
{goods} would be [scarce|cheap|dear|plentiful|worthless] before {season}
the {object} had [belonged to|been made by|been stolen by|been sold to] a {padj} {role}
a {role} without {virtue} was [worse than|no better than|like] a {object} without a {objpart}
{virtue} was [rarer|cheaper|heavier|better|more useful] than {goods}
the {building} had been built [of|from] {material} and {material}
every {role} [owed|deserved|needed|feared] a little {virtue}
the {padj} {role} had [hidden|lost|pawned|buried|broken] {anobj}
{food} would cure any {role} of {feeling}
the {bird} was a sign of {shade}
[nobody|no sensible {role}|only a {role}] would [walk|trade|sleep|live] beside a {ladj} {landform}
{color} {goods} were [unlucky|fashionable|overpriced|the best kind]
the {role} and the {role} were [cousins|rivals|in league|not on speaking terms]
the {landform} had once been a {ladj} {landform}
the {kin} of the {role} [knew|said|wanted] more than was good for the {building}
a {badj} {beast} had [eaten|spoiled|trampled|guarded] the {goods}
there was more {virtue} in a {beast} than in a {padj} {role}
""",
    "thing": """
{anobj}
{food}
the last of the {goods}
{goods} and {goods}
a {vehicle} of {goods}
""",
    "time": """
one {dayadj} [morning|evening|afternoon|night] in {season}
one {dayadj} {tod} [in {season}|after the {fair}|before the {fair}]
in the [first|second|third|last] week of the {spell}
[shortly|some days|a month|not long|a fortnight|a year|two winters] [before|after] the {event}
on the [eve|morning|night|day] of the {fair}
[late|early] in a {wxadj} {season}
when the {crop} harvest was [in|over|late|half done|carried home]
[towards|just before|just after|well before|long after] {tod}
[during|throughout|after|before] the {spell}
while the {roles} were [still asleep|busy with the {goods}|away at the {fair}|arguing about {topic}]
in the days when {goods} travelled by {vehicle}
[that|the following|the same] {season}
in the {season} after the {event}
[before|after|despite] the {shade} and the {shade}
with a {wind} wind [rising|falling|still blowing|at last asleep]
one {season}, after a {wxadj} {season}
once the {goods} had been [sold|stored|paid for|unloaded|delivered]
between the {fair} and the {fair}
""",
    "when": """
at {tod}
in {season}
before {season}
after the {event}
during the {spell}
every {season}
one {dayadj} {dayname}
on {dayadj} {dayname}s
until {tod}
by {tod}
on the day of the {fair}
""",
    "place": """
[beside|behind|above|below|near|opposite|beyond] the {bladj} {building}
at the [end|top|foot|corner] of {street}
on the [north|south|east|west|far|near] bank of the {river}
in the {ladj} {landform} [above|beyond|below|outside] {town}
under the {oadj} {material} [beams|shutters|eaves|rafters|walls] of the {building}
between the {building} and the {building}
in the {room} of [a|the] {bladj} {building}
along the {ladj} {path}
among the {tree} trees
not far from the {ladj} {landform}
""",
    "how": """
with {great} {virtue}
with more {virtue} than {virtue}
with [a little|some|unexpected|growing] {feeling}
{adverb}
{adverb} and {adverb}
{adverb}, like a {badj} {beast}
as [slowly|carefully|quietly|proudly] as a {beast} [in|after|before] the {shade}
in {ladj} {stillness}
to the [great|evident|lasting|open] {feeling} of the {roles}
not without {feeling}
without [the least|a trace of|any] {feeling}
""",
    "reason": """
because the {goods} had [run out|come late|been spoiled|gone to {far}]
because a {padj} {role} had [advised it|forbidden it|asked it|dreamed of it]
for want of {goods}
for fear of the {shade}
out of {feeling}
in the hope of {working}
out of respect for the {roles}
since the {role} was [away|ill|asleep|in {far}|not to be trusted]
rather than {work}
for the sake of {virtue}
because the {shade} had [ruined|delayed|ended] the {fair}
""",
    "answered": """
[answered|replied|said|declared|remarked|admitted]
""",
    "aside": """
who had [never|once|always|twice] {worked}
who [feared|admired|envied|distrusted|remembered] every {role} in {town}
who [smelled of|dealt in|dreamed of|knew about] {goods}
whose {kin} [kept|had built|had lost|owned] a {bladj} {building}
who was [known|loved|famous|feared] for {virtue}
""",
    "spell": """
{long} {weather}
{long} {weather}
{crop} harvest
{event}
""",
    "event": """
{long} {disaster}
{disaster} at the {building}
{disaster} on the {river}
[wedding|funeral|arrest|election|disappearance|return|retirement] of the {padj} {role}
quarrel [over|about] the {goods}
[collapse|burning|sale|opening|rebuilding|closing] of the {building}
""",
    "fair": """
{fairword} fair
{fairword} market
feast of {fairwords}
{fairword} [supper|procession|dance|auction|races]
""",
    "market": """
at the {fair}
in {far}
from a {padj} {role}
at the {building} [door|gate]
""",
    "street": """
{streetword} {streetkind}
{streetword} {streetkind}
""",
    "said": """
[said|thought|believed|maintained|liked to say|used to say|swore|wrote|complained]
""",
    "gnome": """
a {padj} {role} and a {oadj} {object} are [soon parted|best kept dry|never idle|worth a {season} of {virtue}]
{virtue} without {virtue} is a {object} without a {objpart}
[never|always] trust a {role} who [sings|whistles|weeps|boasts|sleeps] at {tod}
the {badj} {beast} [finds|drinks|sleeps|eats] where the {badj} {beast} will not
{food} [tastes|is] better after {shade}
no {shade} lasts longer than a {role} talking about {topic}
a {role} may sell {goods}, but [never|not] {virtue}
""",
    "man": """
{Onset}{vowel}{middle}{male}
""",
    "woman": """
{Onset}{vowel}{middle}{female}
""",
    "last": """
{Onset}{vowel}{coda}{lastend}
""",
    "town": """
{Onset}{vowel}{coda}{placeend}
""",
    "far": """
{Onset}{vowel}{coda}{placeend}
""",
    "river": """
{Onset}{vowel}{middle}{riverend}
""",
    "hills": """
{Onset}{vowel}{middle}{riverend} [Hills|Downs|Fells|Moors|Heights|Wolds]
""",
    "inn": """
the {Color} {Beast}
the {Object} and {Bird}
the {Padj} {Role}
""",
    "ship": """
the {Padj} {Bird}
the {Dayadj} {Season}
the {Color} {Bird}
""",
    "guild": """
the {Fairword} Guild
the {Material} Company
""",
    "species": """
{color} {bird}
{Onset}{vowel}{coda}{riverend} {bird}
{landform} {bird}
""",
    "creature": """
{color} {beast2}
{landform} {beast2}
{Onset}{vowel}{middle}{riverend} {beast2}
""",
    "plantname": """
{beastword}{plantword}
""",
    "relic": """
{object}
""",
    "house": """
{building}
""",
    "ware": """
{goods}
""",
    "revel": """
{fair}
""",
}
"""Parts of sentences, one a line. A name that ends in ``~`` stands for three tables, of which the first verbs of each
line are put into the plain form, the past and the present participle (``work``, ``worked``, ``working``)."""

PLOTS: dict[str, str] = {
    "town": """
{town} [stands|lies|sits] between {ladj} {landform} and {ladj} {landform}, [a day|half a day|an hour|two days] by
    {vehicle} from {far}.
The [town|village|settlement|borough] of {town} grew up around a {bladj} {building} on the {river}, where {goods} were
    [traded|landed|weighed|stored].
Nobody remembers who founded {town}, but every {role} there [blames|thanks|honours|suspects] a {padj} {role} from {far}.
Travellers who come to {town} [by {vehicle}|on foot|in {season}] notice first the {building} and then the smell of
    {goods}.
{town} was built [of|from] {material} and {material}, for the {ladj} {landform} nearby offered little else.
For [three|four|five|six|seven] generations {town} has lived by {goods}, {goods} and the {virtue} of its {roles}.

Its streets are named after [trades|beasts|birds|old quarrels], so that {street} runs into {street} beside a {bladj}
    {building}.
In {street} the houses lean together like {padj} {roles}, and every {bpart} is [painted|washed|stained] {color}.
The oldest house in {street} has {color} shutters and a {oadj} {object} over the door.
Behind {street} there is a {bladj} {building} where the {roles} keep {goods} and [store|hide|count|auction] {goods}.
{street} is given over to {roles}, while {street} belongs to the {roles} and their {beasts}.
From the steps of the {building} one may see the {river}, the {hills} and, [on {dayadj} days|after {shade}|at {tod}],
    the roofs of {far}.

The {roles} of {town} are known for {virtue}, and the {roles} for their want of it.
Strangers are [offered|given|sold|promised] {food} at {inn}, and are expected to [talk about|praise|admire] the {goods}.
On {dayname}s the {roles} [gather|quarrel|bargain|drink|sing] {place}, and nobody [hurries|sleeps|works] until {tod}.
A {role} of {town} would [sooner|rather] {work} than admit to {feeling}.
Children there learn to {work} before they learn {virtue}.
They [say|believe|insist] in {far} that a {role} of {town} can smell {goods} across a {ladj} {landform}.

After the {event} the council [ordered|voted|begged] every {role} to give {goods} for the new {building}.
{time}, the {river} [rose|froze|sank|flooded], and the {roles} carried {goods} into the {building}.
{time}, a {padj} {role} [bought|burned|emptied|inherited] the {building}, and {feeling} spread as far as {street}.
The {event} took away half the {goods} and left the {roles} with nothing but {virtue}.
There was a time, before the {event}, when {goods} and {goods} filled the {building} to the {bpart}.
In the {spell}, the bells of the {building} rang until the {roles} of {far} came with {goods}.

{full}, the {trade}, [kept|wrote|hid] an account of it [in|behind|under] a {oadj} {object}, and {his} {kin}
    [burned|sold|copied|lost] it.
It was {full} who [persuaded|taught|paid|shamed] the {roles} to {work}.
The {roles} still tell how {first} the {trade} {walked} [in {shade}|at {tod}|with {anobj}].
Without {full}, whose {mades} hang in the {building}, the town would have [lost|forgotten|wasted] its {virtue}.

Little has changed since then, though the {building} now [sells|smells of|stores] {goods} and the {building} stands
    empty.
Even now no {role} will {work} [without|before] a glance at the {landform}.
On {dayadj} nights one can still hear the {sound} [from|above|behind] the {building}.
Perhaps that is why the {roles} of {town} [prefer|trust|praise] {goods} to {goods}.
Is it any wonder that its {roles} speak of the {event} with {feeling}?
Of all this only {anobj} remains, {place}.
""",
    "portrait": """
{full} was [born|raised|brought up] {place}, the [only|eldest|youngest|third] child of a {padj} {role} and a {padj}
    {role}.
Everyone in {town} knew {full}, the {trade}, by {his} {color} {garment} and {trait}.
{full} came to {town} [with|owning|carrying] nothing but {anobj} and {trait}.
At the {shop} in {street} worked a {padj}, {padj} {trade} called {full}.
There was once in {town} a {trade} named {full}, a {padj} soul with {trait}.
Few {roles} were as {padj} as {full}, who had [kept|run|owned] the {shop} in {street} since the {event}.
People said of {full} that {he} was the most {padj} {trade} between {town} and {far}.

[As a child|In youth|As an apprentice|Before that] {he} had {worked} for a {padj} {role}, and had learned {virtue} from
    it.
{his} {kin}, a {padj} {role}, had [taught|begged|forced|paid] {him} to {work}.
{he} [learned|picked up|acquired] {his} trade {place}, {working} until {his} hands smelled of {goods}.
{he} had {trait} and {trait}, and was [proud of neither|ashamed of both|vain about the first].
{his} first {made} was so {adj2} that {his} {kin} [kept|buried|framed|sold] it.
[It was|Surely it was] {his} {kin} who first noticed that the child had {trait} and no {feeling}.

{he} [rose|woke|began work] {when}, ate {food}, and {walked} before the {roles} were awake.
{when}, [whatever the weather|without fail|as a rule], {he} {walked} and came back with {goods}.
In {his} [pocket|bag|cupboard|window] {he} kept {anobj}, and {he} would not {work} without it.
{he} could not pass a {building} without {working}, a habit that filled the {roles} with {feeling}.
{he} [disliked|mistrusted|feared] {goods}, adored {food}, and [collected|avoided|drew] {beasts}.
Over the door of the {shop} hung {anobj}, which {he} [painted|polished|straightened|turned] every {season}.
{he} never {worked} without first {working}.

{time}, {he} {worked} {reason}.
{time}, a {padj} {role} came to the {shop} and asked {him} to {work}.
{time}, {he} found {anobj} {place} and {walked} with it.
{time}, {he} {talked}, and the {padj} {role} [laughed|wept|blushed|left town].
{time}, word reached {him} that {his} {kin} had {worked} in {far}.
{time}, the {roles} [chose|asked|dared|begged] {him} to {work}, {reason}.

{friend}, the [widow|daughter|child|cousin] of a {padj} {role}, {talked}, but {first} only {walked}.
Nobody but {friend} guessed how much {feeling} {he} hid behind that {virtue}.
{friend} offered {him} {anobj} for it, and {he} refused {how}.
When {friend} asked {him} why, {he} {answered} that {claim}.
With {friend} {he} {walked}, {talking} all the way.

[From then on|Afterwards|Ever after|For a whole {season}] {he} {worked} {when}, {how}.
{he} told the story {how}, [adding|forgetting|inventing] a {badj} {beast} and {anobj} each time.
The {roles} [forgave|admired|envied|imitated] {him} for it, and some even {worked} [themselves|in private|out of
    {feeling}].
{he} [bore|met|welcomed] it all with {virtue}, and with {food}.
From that {season} on there was {anobj} in the window of the {shop}.

[Late in life|In old age|At the last|When {he} retired] {he} gave the {shop} to {friend}, together with {anobj} and much
    advice about {topic}.
{he} [died|grew old|retired] {place}, and {anobj} was found under {his} pillow.
{town} has had {adj2} {trades} since, but none with such {virtue}.
What would {he} have made of the {building} that stands there now?
On {his} [gravestone|door|bench] the {roles} [carved|painted|wrote] that {gnome}.
They still keep {his} {oadj} {object} in the {building}, {how}.
""",
    "workshop": """
The {shop} of {full} stood {place}, and one could [smell|hear] it from {street}.
Making a {adj2} {made} takes a {trade} two things, {virtue} and good {stuff}.
{full} bought {stuff} [by the cartload|once a {season}|from a {padj} {role}|at {far}] and never trusted a {trade} who
    did otherwise.
In the {shop} of {full} no {made} was ever begun {when}.
A {made} from the hands of {full}, the {trade}, was [lighter|stronger|plainer|dearer] than any sold in {far}.
To learn the trade of {trade} from {full} was to learn {virtue}, for {he} was a {padj} master.

First {he} sorted the {stuff} on a {oadj} bench, [holding|turning|smelling] each piece {adverb}.
The {stuff} had to rest for a [week|month|{season}] in the {room}, [away from|wrapped against|beneath] the {shade}.
{he} [wetted|warmed|weighed|tested] the {stuff} {adverb}, because the {shade} could [spoil|crack|stain|warp] it.
All the {stuff} came down the {river} by {vehicle}, wrapped in {material} against the {shade}.
The best {stuff} was kept [in|behind|beside] a {oadj} {object}, where no {beast} could reach it.
{he} [would not|could never] use {stuff} from {far}, which {he} called {adj2} and {adj2}.

Then came the {tool}, [which|an heirloom that] {his} {kin} had [brought|bought|carried] from {far} after the {event}.
With the {tool} in one hand and {anobj} in the other, {he} {shaped} {how}.
{his} {tool} had a {oadj} {material} handle, worn by [three|four|five] generations of {padj} {trades}.
The {tool} was the {color} one, and no apprentice might [touch|borrow|clean] it before {tod}.
{he} held the {tool} {how}, and {he} breathed out as the {stuff} gave way.
A {oadj} {tool} lay beside the {tool}, and {he} used them [in turn|by feel|{adverb}] until {tod}.

Each {made} was [made|finished|begun] {how}, then {shaped} again {when}.
When a {made} was {shaped}, {he} set it [on|under|beside] {anobj} and {walked}.
If the {made} [rang|creaked|leaned|smelled] wrong, {he} broke it up and {talked}.
A {adj2} {made} took {him} [a day|a week|two evenings|most of a {season}], a {adj2} one rather longer.
Once {shaped}, the {made} was {color}, and it [shone|rang|smelled] like {goods}.
The {mades} stood in the {room} [until|for collection at|to dry before] {tod}, {shaped} and {shaped}.

{friend}, the apprentice, {worked} {when} and was allowed to {work} only [on {dayname}s|in {season}|{reason}].
{friend} once {shaped} a {made} [backwards|without the {tool}|{when}], and the {roles} [laughed|talked] of it until
    {season}.
{friend} swept the floor, {talked}, and dreamed of {goods}.
It was {friend} who [carried|took|sold] the {mades} to {far}, {how}.
{friend} learned {how} and [ruined|spoiled|wasted] a great deal of {stuff} before the {fair}.

{time}, a {padj} {role} ordered a {made} [with|without] a {objpart}, and paid for it in {goods}.
{time}, {first} {shaped} a {made} for the {building}, {color} outside and {color} within.
The {roles} of {far} paid well for {his} {mades}, {reason}.
No two {mades} were alike, though each bore a small {flower} [burned|scratched|stamped|inked] beneath.
{time}, the {shop} burned, and of the {mades} only a {oadj} one was saved.

{he} used to say that {gnome}.
Good {stuff}, {he} {answered}, will forgive a {trade} anything but {feeling}.
What is a {made}, after all, but {stuff} and {virtue}?
There are still {trades} in {town}, but the {tool} [hangs|rusts|rests] {place}, and nobody [uses|moves|claims] it.
[Today|Now|Nowadays] a {made} of {his} will buy a {vehicle}, {goods} and all.
""",
    "bird": """
The {species} [nests|breeds|winters|feeds] {place}, wherever there is {tree} and {tree} for cover.
Few birds of the {hills} are as {badj} or as seldom seen as the {species}.
The {species} is a {badj} bird, somewhat larger than a {bird} and much quieter than a {bird}.
Along the {river} the {species} arrives in {season}, a few days ahead of the {birds}.
Anyone who [walks|crosses|climbs] the {hills} {when} may hear the {species} calling from the {landform}.

Its {birdpart} is {color}, its {birdpart} {color}, and in {season} the {birdpart} turns almost {color}.
The male has a {color} {birdpart}, the female a {color} one, [barred|flecked|edged|washed] with {color}.
[Seen|Watched] from below it seems {color}, but the {birdpart} shows {color} when it turns in the {shade}.
The young are {color} and {badj}, with {color} marks [about|around|above] the {birdpart}.

It [feeds|lives|fattens] on {insects}, {herb} seed and the fruit of the {tree}.
[At {tod}|Before {tod}|After {shade}] it hunts {insects} {place}, {adverb}, never far from the {landform}.
It takes the {insect} [alive|on the wing|from the bark of the {tree}] and stores it in a cleft of the {tree}.
When {herb} fails it eats {herb}, and in a {wxadj} {season} it will come to the {building} for {goods}.
It drinks at {tod} from the {ladj} {landform}, {adverb}, with one eye on the {bird}.

The nest is a {oadj} cup of {herb} stalks and {tree} twigs, lined with {goods}.
It lays [two|three|four|five|six] {color} eggs, [spotted|clouded|streaked|ringed] with {color}, [under|among|beneath]
    the {tree} roots.
Both parents guard the nest against the {beast} and the {bird}, {adverb} and by turns.
The pair builds [in a {tree}|on a {ladj} ledge|beneath the eaves of a {building}], and returns there until the {shade}
    destroys it.

Its song is a {oadj}, {oadj} phrase, like a {role} with {anobj}.
The call, heard {when}, is [like|not unlike|easily mistaken for] the {sound} of a distant {building}.
In {season} it is silent, but {when} it sings {adverb} from the top of a {tree}.
The {roles} [liken|compare] its voice to a {oadj} {object} in the {shade}.

{full}, who {worked} near {far}, [watched|drew|tamed|counted] the {species} for [nine|eleven|twelve|twenty] {season}s.
The {roles} of {town} hold that a {species} on the {bpart} means {shade} before {tod}.
{first} the {trade} kept a {badj} one in the {shop}, where it learned to imitate a {padj} {role}.
{roles} once [netted|shot|sold] it for its {birdpart}, which was worn on a {color} {garment} at the {fair}.
No {role} will harm it, for in {town} they say that {gnome}.

It leaves in {season} with the first {shade}, and nobody in {town} knows [where|why|how far] it goes.
Since the {event} it has grown scarce, and the {landform} is the quieter for it.
Will it return to the {landform} now that the {building} has gone?
By the end of {season} only {badj} stragglers remain, {adverb} picking at the {herb}.
""",
    "beast": """
The {creature} of the {hills} is a {badj} animal, rarely met {when}.
One must [rise early|sit still|wait long|walk far] to see the {creature}, for it fears the {sound} of any {role}.
The {creature} lives {place}, in a burrow lined with {herb} and {herb}.
The {creature} is commoner about the {river} than any {role} of {town} supposes.
In {season} the {creature} comes down from the {ladj} {landform} to look for {herb}.

It has a {color} {beastpart}, a {color} {beastpart}, and the manners of a {padj} {role}.
Its {beastpart} is {color} in {season} but nearly {color} by {season}, [to match|like|against] the {landform}.
In size it falls between a {beast} and a {beast}, though its {beastpart} would do credit to a {beast}.

It eats {herb}, {flower} roots, {insects} and, [given the chance|in a {wxadj} {season}|after {shade}], {goods}.
A {badj} female will carry {goods} {adverb} from the {building} to the {landform}, one piece at a time.
It will [dig|climb|swim|wait] half the night for a {insect}, then sleep until {tod}.
[Like|Unlike] the {beast} it stores {herb} for {season}, {adverb}, beneath a {tree}.
It follows the {path} at {tod}, stops at every {tree}, and [rolls|sits|sniffs] in the {herb}.

The young are born in {season}, [blind|{color}|{badj}] and no longer than a {object}.
Two {badj} males will fight {place} until the {shade} drives them home.
The mother teaches them to fear the {bird}, to like {herb}, and to keep away from {roles}.
They play at {tod} among the {tree} roots, {adverb}, as though no {beast} had ever [lived|hunted|barked].

{roles} set traps for it with {food}, but it prefers {food} and [leaves|ignores|buries] the rest.
{full} once found a {badj} one asleep [in|under|behind] {anobj} at the {shop}.
{first} the {trade} {said} that {claim}, and blamed the {creature}.
In the {spell} a {badj} one walked into the {building} and {adverb} [ate|stole|licked] the {food}.
The {roles} of {far} [roast|tame|sell|paint] it, a thing that fills {town} with {feeling}.

[Nothing|Little] else in the {hills} is so {badj}, unless it be a {role} on {dayname}s.
When the {shade} comes it turns three times in the {herb} and sleeps until {season}.
Where there is one there are always [two|three|others], though the {roles} never see them.
Of late a {padj} {role} has been paying for {creature} skins, and the {landform} is emptier than before.
""",
    "plant": """
The plant called {plantname} grows {place}, and nowhere else along the {river}.
{plantname} is a {oadj} herb of the {ladj} {landform}, sought by every {padj} {role} in {town}.
In {season} the {landform} is {color} with {plantname}, and the air smells of {goods}.
No garden in {town} is without {plantname}, which {roles} plant [against|as a cure for] {ailment}.

It has {color} leaves, {color} flowers, and a root like a {oadj} {object}.
The flower opens at {tod}, {color} at first, then {color}, and falls with the {shade}.
It climbs {adverb} over {tree} and {tree}, and strangles any {flower} it meets.
The stem is {color} and {oadj}, and the sap will stain a {garment} {color}.

It likes {shade} and {ladj} ground, and dies in the shade of a {tree}.
Seed is sown in {season}, with {goods} dug in {adverb}, and the bed covered with {goods}.
The {beast} will not touch it, but the {insect} lays eggs in it and the {bird} eats those.
It must be cut {when}, [by a {role}|with a {oadj} blade|left handed], or it loses its [scent|flavour|strength|colour].
[A little {shade}|A {wxadj} {season}] does it good, whatever the {roles} say.

Boiled with {herb} and {goods}, the leaf is [given|prescribed|sold] for {ailment} and {ailment}.
A {role} with {ailment} should drink it {when}, {adverb}, and think of {goods}.
{full}, the {trade}, mixed it with {goods} and [sold|gave|rubbed] it {how} to cure {ailment}.
Crushed with {herb}, it dyes {goods} a deep {color} that no {shade} will fade.
Mixed with {food} it brings on {ailment}, as a {padj} {role} of {far} discovered.
The root, dried in the {room} beside {goods}, keeps a {garment} free of {insects}.

The {roles} plait it into crowns for the {fair} and hang it on the {bpart} against {ailment}.
It was brought, they say, from {far} by a {padj} {role}, hidden in {anobj}.
Children [trade|chew|collect] the seeds, which taste of {goods}.
{first} would have no other plant in {his} {room}, {reason}.
A saying of the {hills} has it that {gnome}.

After the {event} it sprang up {place}, where no {role} had sown it.
By {season} nothing is left but {color} stalks, rattling in the {shade}.
Who would guess that so {oadj} a plant had ruined a {building}?
""",
    "river": """
The {river} rises in a {ladj} {landform} of the {hills} and reaches {town} [brown|clear|swollen|slow] with the {season}
    rains.
Of the {river} the {roles} of {town} speak as of a {padj} {kin}, with {feeling} and {feeling}.
There are two ways to follow the {river}, by {vehicle} or along the {ladj} {path}.
Above {town} the {river} is narrow and {ladj}, but below the {building} it spreads into a {landform}.
Before it reaches {far}, the {river} passes a {ladj} {landform}, a {bladj} {building} and a grove of {tree}.

In {season} it carries {goods}, in {season} only leaves and {badj} ducks.
It bends [twice|three times|sharply] at the {landform}, as if it had [forgotten|lost|dropped] something {place}.
Its water tastes of {herb}, and the {roles} use it to wash {goods}.
The {fish} and the {fish} share its pools, and the {bird} takes a tithe of both.
Where the {trees} hang over the water, {fish} lie all day, {adverb}, out of reach of the {roles}.
It runs {color} after {shade} and {color} after {shade}, and the {roles} can tell the hour by it.

{roles} have worked the ferry there since the {event}, and [charge|ask|take] {goods} for it.
A {vehicle} of {goods} goes down {when} and comes back with {goods}.
{full} [kept|built|moored] a {oadj} boat beside the {building}, and {worked} {when}.
The barges carry {goods} to {far}, {reason}, and {roles} ride on top of the load.
At the {building} a {padj} {role} [dips|hangs|sinks] {anobj} in it to judge the depth.

{time}, it burst its banks, and {goods} floated out of every {building}.
{time}, it [froze|sank|ran dry] so {adverb} that the {roles} held the {fair} on its bed.
{time}, {first} the {trade} crossed it on {anobj}, to the {feeling} of the {roles}.
{time}, a {padj} {role} [fished|pulled|dragged] {anobj} out of it, with {feeling}.
The {event} choked it with {goods}, and it was {season} before a {vehicle} could pass.

{friend} {said} that the {river} never [forgave|forgot|drowned] a {role}.
Children throw {goods} into it {when}, and [wish|ask|pray] for {food}.
A {role} who drinks from it {when} will, they say, {work} [for ever|within the year|in dreams].
The {roles} leave {anobj} at the ford, out of {virtue} or {feeling}.

So it goes on to the sea, {adverb}, past {ladj} {landform} and {ladj} {landform}, until it [loses its name|turns
    salt|meets the tide].
By {tod} the mist is on it, and a {badj} {beast} comes down to drink.
And who, standing {place}, would call it only water?
At {far} it is wide and {ladj}, and nobody there remembers the {landform}.
""",
}
"""Whole sentences, one a line; an empty line ends a beat of the paragraph."""

TRADES = """
cooper | cooperage | staves, ash hoops, seasoned oak | adze, mallet, drawknife | barrel, cask, pail, tub | shaped, hooped, bent
baker | bakehouse | rye flour, yeast, barley meal | peel, dough trough, rolling pin | loaf cake, seed bun, raisin tart, biscuit | kneaded, glazed, baked
weaver | weaving shed | warp thread, combed wool, linen yarn | loom, shuttle, bobbin | blanket, shawl, tapestry panel, runner | wove, fringed, bordered
potter | pottery | river clay, wet slip, salt glaze | wheel, kiln, wire cutter | bowl, jug, pitcher, crock | threw, glazed, fired
blacksmith | forge | bar iron, charcoal, scrap steel | hammer, anvil, pair of bellows | hinge, gate, plough blade, fire iron | forged, beat, tempered
clockmaker | clock shop | brass sheet, spring steel, watch oil | file, loupe, small lathe | clock, watch case, sundial, chime | assembled, adjusted, cased
bookbinder | bindery | calfskin, marbled paper, flax thread | bone folder, sewing frame, press | ledger, psalter, album, almanac | stitched, bound, covered
shipwright | boatyard | larch planks, copper rivets, tar | adze, caulking iron, auger | skiff, ferry, rowing boat, lugger | framed, planked, launched
glassblower | glasshouse | white sand, potash, broken glass | blowpipe, pair of shears, furnace | goblet, lamp, flask, window pane | blew, spun, annealed
candlemaker | chandlery | beeswax, tallow, cotton wick | dipping frame, copper pan, wick cutter | taper, candle, lantern, nightlight | dipped, poured, trimmed
saddler | saddlery | bridle leather, brass studs, horsehair | awl, round knife, stitching clamp | saddle, halter, bridle, satchel | stitched, padded, tooled
mason | stone yard | limestone, gritstone, slaked lime | chisel, mallet, plumb line | lintel, milestone, doorstep, gatepost | carved, dressed, squared
carpenter | carpentry shop | elm boards, oak pegs, pine planks | plane, saw, bench vice | chair, cradle, table, staircase | sawed, planed, jointed
dyer | dyehouse | madder, woad, alum | vat, paddle, drying rack | ribbon, banner, curtain, silk square | steeped, dyed, rinsed
tailor | tailoring room | worsted, horn buttons, silk thread | pair of shears, flat iron, tape | coat, waistcoat, cloak, gown | cut, pressed, hemmed
cobbler | cobbling stall | sole leather, waxed thread, tacks | last, awl, lapstone | boot, slipper, sandal, clog | soled, heeled, stitched
ropemaker | rope walk | hemp, manila fibre, pitch | twisting hook, sledge, hackle | cable, halter, hawser, net | twisted, spliced, tarred
printer | printing house | rag paper, lampblack, lead type | press, composing stick, roller | handbill, chapbook, almanac, broadsheet | printed, set, proofed
papermaker | paper mill | linen rags, gelatine, clear water | mould, felt press, vat | notebook, envelope, drawing sheet, account book | pressed, sized, trimmed
miller | flour mill | wheat, barley, sacking | millstone, hoist, sieve | flour sack, meal bag, feed sack, oat cake | filled, weighed, tied
brewer | brewhouse | malt, hops, spring water | mash tun, copper, ladle | ale cask, cider jug, stout bottle, beer barrel | filled, tapped, corked
beekeeper | bee garden | clover honey, comb wax, straw | smoker, hive knife, honey press | hive, honey jar, wax block, mead bottle | filled, strained, sealed
thatcher | thatching yard | water reed, hazel spars, long straw | leggett, shearing hook, ladder | roof, ridge, haystack cover, porch roof | thatched, trimmed, pegged
wheelwright | wheel shop | ash felloes, elm hubs, iron tyres | spokeshave, auger, wheel stool | wheel, cart, wagon, barrow | built, spoked, painted
tinsmith | tin shop | tinplate, solder, resin | pair of snips, soldering iron, stake | lantern, kettle, funnel, milk can | soldered, seamed, hammered
silversmith | silver shop | sterling sheet, borax, silver wire | planishing hammer, blowpipe, burnisher | spoon, salver, brooch, christening cup | raised, chased, engraved
basketmaker | osier yard | willow rods, split cane, rushes | bodkin, pair of shears, lap board | basket, hamper, eel trap, cradle | wove, rimmed, lidded
instrument maker | fiddle shop | spruce, maple, gut strings | gouge, scraper, glue pot | fiddle, lute, harp, zither | carved, strung, tuned
mapmaker | map room | vellum, walnut ink, colour washes | compass, pair of dividers, fine brush | chart, globe, star map, county map | drew, coloured, lettered
hatter | hat shop | felt, shellac, beaver fur | hat block, steam kettle, brush | bonnet, cap, straw hat, hood | blocked, trimmed, lined
lensgrinder | lens shop | crown glass, emery, pitch | grinding lap, gauge, lathe | telescope, magnifier, eyepiece, signal lamp | ground, polished, mounted
tanner | tannery | oak bark, raw hides, lime | fleshing knife, pit, beam | belt, apron, hide, glove | scraped, tanned, curried
chairmaker | turning hut | green beech, rush, ash poles | pole lathe, gouge, shave horse | chair, stool, settle, armchair | turned, seated, bent
gardener | walled garden | seedlings, leaf mould, bean poles | spade, dibber, pruning knife | rose tree, melon, cucumber, potted fern | planted, grafted, raised
apothecary | herb shop | dried roots, camphor, sweet oil | mortar, alembic, brass scale | ointment, tincture, poultice, cough syrup | mixed, distilled, bottled
toymaker | toy shop | limewood, bright paint, sheep wool | penknife, fretsaw, paintbrush | puppet, spinning top, rocking horse, doll | carved, jointed, painted
brickmaker | brickfield | brick earth, sand, coal dust | mould, pug mill, barrow | brick, roof tile, chimney pot, drain | moulded, dried, fired
lacemaker | lace room | linen thread, pins, parchment | bobbin, pillow, pricker | collar, veil, cuff, table cover | worked, starched, edged
netmaker | net loft | tarred twine, cork floats, lead sinkers | netting board, gauge, pair of shears | drift net, landing net, crab pot, hammock | knotted, mended, tarred
bellfounder | bell foundry | copper, tin ingots, loam | ladle, pit crane, tuning fork | bell, gong, cannon, door knocker | cast, tuned, hung
"""
"""Trade, workshop, materials, tools, products (with their plurals in s) and what is done to these, past tense."""
