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
        back belly brow chest coat face flank forehead fur head hide jaw mask muzzle neck nose rump snout tail throat
        underside
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
        goshawk grebe grouse/grouse gull harrier hawk heron hoopoe jackdaw jay kestrel kingfisher kite lapwing lark
        linnet magpie mallard martin merlin nightingale nightjar nuthatch oriole osprey ouzel owl partridge pelican
        petrel pheasant pigeon pipit plover puffin quail raven redstart robin rook sandpiper shrike skylark
        snipe/snipe sparrow spoonbill starling stonechat stork swallow swan swift teal tern thrush treecreeper wagtail
        warbler waxwing wheatear whimbrel whinchat woodcock woodlark woodpecker wren yellowhammer
    """,
    "bird2": """
        bitterns blackbirds buntings buzzards coots cranes crows curlews doves ducks dunlins fieldfares finches geese
        gulls harriers herons jackdaws jays kites lapwings larks linnets magpies martins owls partridges pigeons
        pipits plovers ravens rooks snipe sparrows starlings swallows swans swifts teal terns thrushes wagtails
        warblers woodcock
    """,
    "birdpart": """
        back beak belly bill breast cap cheek chin collar crest crown eyestripe face forehead head hood mantle mask
        neck plumage rump shoulder tail throat wing wingtip
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
        attic_window back_door balcony bell_rope boiler ceiling chimney cornerstone cornice courtyard door_knocker
        doorstep drain drainpipe floor front_door front_step gable gallery garden_gate gate gutter hearth
        lightning_rod lintel mantelpiece parapet porch railing roof roof_beam side_door signboard skylight staircase
        threshold wall weathervane window windowsill woodwork
    """,
    "bridge": """
        aqueduct breakwater bridge canal causeway dam drawbridge embankment footbridge harbour jetty lighthouse lock
        pier sea_wall tunnel viaduct weir
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
    "cloth": """
        baize calico cambric canvas corduroy cotton damask felt flannel fustian gauze lace leather linen muslin
        oilcloth sackcloth sailcloth satin serge sheepskin silk taffeta tweed twill velvet wool worsted
    """,
    "color": """
        amber ashen azure black blue bronze brown copper cream crimson dun emerald fawn golden green grey indigo ivory
        lilac mauve ochre olive orange pale pearl pink plum purple red rose russet saffron scarlet silver slate tawny
        violet white yellow
    """,
    "craftadv": """
        carefully deftly delicately evenly expertly finely firmly gently gradually lightly methodically neatly
        patiently precisely quickly quietly silently skilfully slowly smoothly softly steadily surely swiftly tenderly
        thoroughly thoughtfully unhurriedly
    """,
    "crop": """
        apple barley bean berry cherry clover corn flax grape hay hazel hemp hop lavender lentil linseed millet
        mustard oat olive onion pea pear plum potato pumpkin quince rye saffron turnip walnut wheat willow
    """,
    "crops": """
        barley beans beet cabbages carrots clover flax hemp hops kale leeks lentils linseed lucerne marrows millet
        mustard oats onions parsnips peas potatoes pumpkins radishes rye sorrel spelt turnips vetch wheat
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
    "drink": """
        barley_water black_tea brandy buttermilk cider cold_tea cordial ginger_beer hot_milk hot_water mead mulled_ale
        perry plum_wine porter rose_water small_beer spring_water stout strong_tea sweet_wine vinegar warm_ale whey
    """,
    "eatable": """
        almonds apples bacon barley beans butter cabbage carrots cheese cherries chestnuts cream currants dates
        duck_eggs eels eggs figs flour garlic ginger goose_fat grapes ham hazelnuts honey leeks lemons lentils
        mackerel malt marrow_bones milk millet mushrooms mussels mustard mutton nutmeg oatmeal oats olives onions
        oysters parsnips peaches pears peas pepper plums potatoes quinces radishes raisins rhubarb rye_flour saffron
        salt saltfish semolina sorrel spinach suet sugar treacle trout turnips veal venison vinegar walnuts wheat
        yeast
    """,
    "fairword": """
        apple barley basket bell berry blanket book bread broom butter candle cattle cheese cherry chestnut cider clay
        cloth cream crockery drum eel egg feather fiddle fish flax flower furniture goat goose grain harness hay
        herring hiring honey horse kite lace lamb lantern leather linen maple mask mule mushroom oat onion oyster pear
        pepper pig plum pony pottery poultry puppet rag ram ribbon rope rush salmon salt seed sheep silk spice straw
        sugar thimble timber toy tulip turnip walnut wheel whistle willow wine wool yarn
    """,
    "feasts": """
        acorns anchors apples arrows baskets bees bells boats bonfires bottles branches bread broken_pots candles
        cherries cradles crowns doves drums eels eggs empty_chairs feathers fiddles first_fruits flowers geese gloves
        herons horns keys kites ladders lambs lanterns larks last_apples leaves lilies masks mirrors new_bread nuts
        old_shoes owls oysters pears plums puppets ribbons ropes roses sheaves shepherds silver_fish sleepers spoons
        swallows swans threads torches vines walnuts wheels whistles willows
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
        lupin marigold orchid pansy peony pimpernel poppy primrose rose saxifrage snowdrop speedwell stonecrop
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
    "furniture": """
        armchair bed bench bookcase bureau cabinet chair chest clothes_press coffer cot couch cradle crate cupboard
        desk dresser footstool hatstand linen_press loom mattress mirror rocking_chair screen settle shelf sideboard
        sofa stool stove table trestle trunk wardrobe washstand wine_rack workbench writing_desk
    """,
    "garment": """
        apron belt blouse bonnet cap cape cardigan cloak coat collar doublet dress frock gown hat headscarf hood
        jacket jerkin jersey kilt mantle nightcap nightshirt overcoat petticoat pullover robe sash scarf shawl shirt
        skirt smock surcoat tabard tunic veil vest waistcoat wig
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
    "height": """
        bluff cliff crag crest fell headland hill hillock hillside knoll ledge moor mound mountain outcrop pass peak
        plateau promontory ridge scarp slope spur summit terrace tor upland wold
    """,
    "herb": """
        agrimony angelica basil betony borage burdock camomile caraway chervil chickweed chicory clover coltsfoot
        comfrey coriander costmary dill dock elecampane fennel feverfew garlic goosegrass hawthorn horehound
        horseradish hyssop lavender lovage mallow marigold marjoram meadowsweet mint mugwort mustard nettle parsley
        pennyroyal plantain purslane rosemary rue sage savory sorrel spearmint tansy tarragon thistle thyme valerian
        vervain watercress woodruff wormwood yarrow
    """,
    "hue": """
        ashen black bronze brown buff chestnut cream dun fawn ginger golden grey ivory ochre olive pale red russet
        rust sandy silver slate sooty tawny umber white yellow
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
    "instrument": """
        bagpipe bassoon bugle clarinet concertina cornet dulcimer fiddle flute guitar harp horn hurdy_gurdy lute lyre
        mandolin oboe organ pipe tabor trombone viol whistle zither
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
    "matadj": """
        ancient black bright carved cheap chipped costly cracked dark dull fine fragrant glossy grained hard heavy
        knotted lacquered mottled old pale patched polished red rough scorched shining smooth soft spotted stained
        veined warped waxed weathered white worn
    """,
    "material": """
        alder applewood ash basalt bone boxwood brass brick bronze canvas cedar chalk cherrywood clay copper cork
        driftwood elm felt flint glass granite gritstone hazel holly horn iron ivory larch lead leather limestone
        linen maple marble oak oilcloth pearwood peat pewter pine porcelain reed resin rosewood rowan sailcloth
        sandstone sheepskin silver slate spruce steel tin walnut wax wicker willow wool yew
    """,
    "nadv": """
        boldly briskly calmly cautiously faintly gently gracefully greedily idly lazily nervously noisily patiently
        peacefully quickly quietly restlessly sedately silently sleepily slowly softly steadily stealthily stubbornly
        suddenly swiftly timidly tirelessly warily
    """,
    "oadj": """
        battered blunt brittle broad broken burnished carved chipped clumsy cracked curved dainty delicate dented
        dusty elegant faded fine flimsy fragile gilded glazed graceful handsome heavy homely ingenious inlaid knotted
        lacquered lopsided massive mended neat notched oiled old ornate oval painted patched peculiar plain polished
        precious pretty quaint ragged rickety round rusted rusty scratched scuffed shabby shapely simple sleek slender
        small smooth solid splendid squat squeaking stained stout sturdy tarnished tattered thin threadbare tiny
        unfinished varnished waxed weathered worn wretched
    """,
    "object": """
        apron axe basin basket bell blanket bobbin bonnet bottle bowl bracelet bridle brooch broom bucket buckle
        candlestick cask casket chisel churn cloak clock coat compass crock curtain cushion dial easel fiddle flagon
        flask flute funnel goblet griddle hammer harp hatchet hinge inkwell jar jug kettle keyring ladder ladle lamp
        lantern ledger lens lid locket lute mallet map mask mortar mug necklace oar padlock pail pan parasol pestle
        picture pillow pipe pitcher plate platter pot purse quilt rake razor ribbon ring rope sack saddle sampler
        satchel saucepan scroll scythe shawl shelf shovel sickle sieve skillet spade spindle spoon stool strongbox
        tankard teapot telescope thimble tinderbox torch tray trowel trumpet tub umbrella urn vase vest violin wheel
        whistle
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
    "plain": """
        a e i o
    """,
    "plantpart": """
        bark blossom bud husk leaf root seed shoot stalk stem tip
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
        ropemaker saddler sailmaker sailor scholar schoolteacher scribe sculptor sergeant sexton shepherd shipwright
        shopkeeper silversmith smuggler soldier spinner stargazer steward stonecutter stranger student surgeon
        surveyor swineherd tailor tanner thatcher tiler tinker tinsmith trader trapper traveller turner vagrant verger
        veteran vintner wanderer warden washerwoman watchmaker weaver wheelwright whittler widow woodcarver woodcutter
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
        cold damp dew drizzle fog frost hail haze heat ice lightning mist moonlight rain rime sleet slush snow
        sunshine thunder wind
    """,
    "sound": """
        bells boots chanting cheering church_bells drums flutes footsteps hammering hooves horns hymns laughter music
        oars owls pipes rain rattling sawing shouting singing snoring sobbing thunder trumpets voices water weeping
        wheels whistling wind wings
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
    "stuff2": """
        basalt bricks chalk cobbles copper elm flint granite gravel gritstone iron larch lime limestone marble mortar
        oak pine rubble sandstone shingle slate timber
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
        alder apple ash aspen beech birch blackthorn cedar cherry chestnut cypress elder elm fir hawthorn hazel holly
        hornbeam juniper larch laurel lime linden maple medlar mulberry oak olive pear pine plum poplar quince rowan
        spruce sycamore walnut whitebeam willow yew
    """,
    "vehicle": """
        barge boat bullock_cart canoe carriage cart coach ferry fishing_boat handcart hay_wain mail_coach mule_train
        packhorse punt raft rowing_boat schooner skiff sledge sloop wagon wheelbarrow
    """,
    "virtue": """
        accuracy ambition candour care caution charity cheerfulness common_sense confidence courage courtesy cunning
        curiosity dignity diligence discretion duty economy endurance enthusiasm fairness faith forbearance foresight
        forgiveness generosity gentleness good_humour goodwill gratitude hard_work honesty hope hospitality humility
        imagination industry ingenuity judgement justice kindness loyalty mercy moderation modesty neatness obedience
        patience perseverance piety politeness prudence punctuality restraint self_respect silence simplicity
        sincerity skill sobriety steadiness stubbornness sympathy tact temperance thrift tolerance trust truthfulness
        vigilance wisdom wit zeal
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
        B Bl Br C Cr D Dr F Fl Fr G Gl Gr H J K Kr L M N Pl Pr R S Sk St Str T Th Tr V W Y
    """,
    "coda": """
        d l ld m n nd r rd rn s sk st
    """,
    "female": """
        a ade aine anna anth ara ela elda elle emma enna erine essa ette eva iah ida ila ilde illa ina inda ine ira
        isa isse ith itha ona onie ora orna owen une wen wyn
    """,
    "lastend": """
        all and arrow bain bank beck bell blow bourne brand comb cott dale den dine fall fast fell field fold garth
        gate gill ham hart heath house ing ison lake land lark lett ley lock low man mark mer mont moor more nell ock
        over pool quill ridge rock row sall shaw side son stone stow ton twist vane ward way well wick wood worth
    """,
    "male": """
        ad am an and ann arn eck ek el en er erd eric ern iam ian il in ing irn old olf om on or ord orn oth uld un
        und
    """,
    "middle": """
        br dr l ldr lf lm lr lth lv m mbr n ndr nn nth nv r rd rl rm rn rr rth rv s sk st str th thr v vr
    """,
    "placeend": """
        barrow beck borough bourne bridge burn bury by castle combe cross dale den don down fell field firth fold ford
        garth gate glen ham haven head heath holm hurst keld land ley low marsh mere minster moor mouth ness over pool
        port quay reach ridge shaw side stead stone stow strand toft ton vale wade water well wharf wick wold wood
        worth
    """,
    "rich": """
        ae ai ea ei ia ie io oa oe y
    """,
    "riverend": """
        ain al am an ane ar arrow ay el en er erne erry ess eth ey ine ing ish ock ole on ona or orne oth ow ule une
        ura y yn
    """,
}
"""What names are spelt from; every seed keeps half of each."""

PHRASES: dict[str, str] = {
    "work~": """
[mend|patch|repair|polish|clean|repaint|varnish|oil|dust|inspect|straighten|test] {anobj}
[sort|count|weigh|stack|unpack|pack|label/labelled/labelling|collect|inspect|order|deliver] the {goods}
[load|unload|haul|roll|lift|cart] {goods} [from|into|out of|onto] the {vehicle}
[gather|collect|pick|crush|boil|press|steep] {herb} and {herb}
[plant|weed|water|tend|transplant] the {flower} beside the {building}
[sketch|measure|record|describe] the {ladj} {landform}
[feed/fed/feeding|water|brush|comb|groom|shelter|doctor] the {badj} {beast}
[cook|heat|reheat|sweeten|season|sample|salt] the {food}
[mend|paint|whitewash|clean|scour|patch] the {bpart} of the {building}
[sew|patch|darn|wash|fold|alter|hem/hemmed/hemming] a {color} {garment}
[order|request|borrow|barter for|collect] {goods} from [a|the] {padj} {role}
[climb|clear|inspect|repair|sweep/swept/sweeping] the {path} [above|behind|beyond|below] the {building}
[consult|question|follow|assist|employ|greet] the {padj} {role}
[sharpen|clean|oil|search for|borrow|return] the {oadj} {object}
[paint|gild|label/labelled/labelling|restore|mend|wrap/wrapped/wrapping] {anobj} for the {role}
[check|count|weigh|record|move] the {goods} [by candlelight|at {tod}|with {virtue}]
""",
    "walk~": """
[walk|wander|stroll|march|row|return|hasten|turn|stray|journey|limp] [along|beside|past|towards|up|down] the {ladj}
    {path}
[climb|scramble|clamber|march|walk] [to|up to|over] the {ladj} {height}
[wander|walk|stroll|hasten|return] [through|into|across] the {ladj} {landform}
[walk|return|hasten|turn back|journey] to the {bladj} {building}
[cross|ford|skirt] the {ladj} {landform} [at {tod}|on foot|by {vehicle}|with {anobj}]
[return|journey|sail|walk|travel/travelled/travelling] [home|inland|upriver|downriver|northward|southward] with {goods}
[linger|rest|loiter|halt] [beside|near|opposite|behind|below] the {bladj} {building}
[follow] a {badj} {beast} [through|across|along] the {landform}
""",
    "talk~": """
[talk|grumble|joke|complain|boast|gossip] about {topic}
[quarrel|argue|reason|talk|joke] with the {padj} {role} about {topic}
[insist|explain|remark|answer|protest|murmur|declare|mutter|confess|predict|repeat] that {claim}
[question|remind|consult|lecture|warn|tell/told/telling] the {padj} {role} about {topic}
""",
    "anobj": """
a {oadj} {object}
a {oadj} {object}
a {color} {object}
the {oadj} {object}
a {object} of {matadj} {material}
a {oadj}, {oadj} {object}
the {object} from the {room}
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
{color} {goods} would [bring bad luck|come into fashion|never sell in {far}|please any {role}]
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
while the {roles} were [still asleep|busy with the {goods}|away at the {fair}|arguing about the {quality} of the
    {goods}]
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
at {tod} in {season}
on {dayadj} {daynames}
on {daynames}
in {dayadj} weather
before {tod}
after {tod}
in {season}
in the {season} {shade}
on the eve of the {fair}
on {dayadj} {season} [mornings|evenings|nights|afternoons]
""",
    "place": """
[beside|behind|above|below|near|opposite|beyond] the {bladj} {building}
at the [end|top|foot|corner] of {street}
on the [north|south|east|west|far|near] bank of the {river}
in the {ladj} {landform} [above|beyond|below|outside] {town}
under the {matadj} {material} [beams|shutters|eaves|rafters|walls] of the {building}
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
as [slowly|carefully|quietly|proudly] as a {badj} {beast}
in {inadj} {stillness}
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
quarrel over the {goods}
[collapse|burning|sale|opening|rebuilding|closing] of the {building}
""",
    "fair": """
{fairword} fair
{fairword} market
feast of {feasts}
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
a {role} who [sings|whistles|weeps|boasts|sleeps] at {tod} is [never|always] to be trusted
the {badj} {beast} [finds|drinks|sleeps|eats] where the {badj} {beast} will not
{food} [tastes|is] better after {shade}
no {shade} lasts longer than a {role} talking about {goods}
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
{hue} {bird}
{Onset}{vowel}{coda}{riverend} {bird}
{landform} {bird}
""",
    "creature": """
{hue} {beast2}
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
    "dish": """
a [pie|stew|soup|broth|pudding|tart|hash|jelly] of {eatable} and {eatable}
a [pie|stew|soup|sauce|loaf|paste|pickle] of {eatable} with {herb}
""",
    "bygone": """
{event}
""",
    "vowel": """
{plain}
{plain}
{plain}
{rich}
""",
    "once": """
one {dayadj} {tod}
one {dayadj} [morning|evening|afternoon|night] in {season}
on a {dayadj} {season} [morning|evening|afternoon|night]
[early|late] in a {wxadj} {season}
on the [eve|morning] of the {fair}
in the {season} before the {fair}
in the {shade} of a {dayadj} {tod}
at {tod} on a {dayadj} {dayname}
""",
    "fiddle": """
{instrument}
""",
    "span": """
{bridge}
""",
    "supper": """
{dish}
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

After the {bygone} the council [ordered|voted|begged] every {role} to give {goods} for the new {building}.
{time}, the {river} [rose|froze|sank|flooded], and the {roles} carried {goods} into the {building}.
{time}, a {padj} {role} [bought|burned|emptied|inherited] the {building}, and {feeling} spread as far as {street}.
The {bygone} took away half the {goods} and left the {roles} with nothing but {virtue}.
[There was a time|There were years|There was an age], [before|long before|just before] the {bygone}, when {goods} and
    {goods} filled the {building} to the {bpart}.
During the {spell}, the bells of the {building} rang until the {roles} of {far} came with {goods}.

{full}, the {trade}, [kept|wrote|hid] an account of it [in|behind|under] a {oadj} {object}, and {his} {kin}
    [burned|sold|copied|lost] it.
It was {full} who [persuaded|taught|paid|begged] the {roles} to {work}.
The {roles} still tell how {first} the {trade} {walked} [in {shade}|at {tod}|with {anobj}].
Without {full}, whose {mades} hang in the {building}, the town would have [lost|forgotten|wasted] its {virtue}.

[Little|Not much|Next to nothing] has [changed|altered|improved] since then, though the {building} now [sells|smells
    of|stores] {goods} and the {building} stands empty.
Even now no {role} will {work} without a glance at the {landform}.
On {dayadj} nights [one can still hear|some claim to hear|people still listen for|nobody can mistake] the {sound}
    [from|above|behind] the {building}.
Perhaps that is why the {roles} of {town} [prefer|trust|praise] {goods} to {goods}.
[Is it any wonder|Is it so strange|Who can be surprised] that its {roles} speak of the {bygone} with {feeling}?
Of all this only {anobj} remains, {place}.
""",
    "portrait": """
{full} was [born|raised|brought up] {place}, the [only|eldest|youngest|third] child of a {padj} {role} and a {padj}
    {role}.
Everyone in {town} knew {full}, the {trade}, by {his} {color} {garment} and {trait}.
{full} came to {town} [with|owning|carrying] nothing but {anobj} and {trait}.
At the {shop} in {street} worked a {padj}, {padj} {trade} called {full}.
There was once in {town} a {trade} named {full}, a {padj} soul with {trait}.
Few {roles} were as {padj} as {full}, who had [kept|run|owned] the {shop} in {street} since the {bygone}.
People said of {full} that {he} was the most {padj} {trade} between {town} and {far}.

[As a child|In youth|As an apprentice|Before that] {he} had {worked} for a {padj} {role}, and had learned {virtue} from
    it.
{his} {kin}, a {padj} {role}, had [taught|begged|forced|paid] {him} to {work}.
{he} [learned|picked up|acquired] {his} trade {place}, {working} until {his} hands smelled of {goods}.
{he} had {trait} and {trait}, and was [proud of neither|ashamed of both|vain about the first].
{his} first {made} was so {adj2} that {his} {kin} [kept|buried|framed|sold] it.
[It was|Surely it was] {his} {kin} who first [noticed|saw|remarked|discovered] that [the child|so young a child|the boy
    or girl] had {trait} and no {feeling}.

{he} [rose|woke|began work] {when}, ate {food}, and {walked} before the {roles} were awake.
{when}, [whatever the weather|without fail|as a rule], {he} {walked} and came back with {goods}.
In {his} [pocket|bag|cupboard|window] {he} kept {anobj}, and {he} would not {work} without it.
{he} could not pass a {building} without {working}, a habit that filled the {roles} with {feeling}.
{he} [disliked|mistrusted|feared] {goods}, adored {food}, and [collected|avoided|drew] {beasts}.
Over the door of the {shop} hung {anobj}, which {he} [painted|polished|straightened|turned] every {season}.
{he} never {worked} without first {working}.

{time}, {he} {worked} {reason}.
{time}, a {padj} {role} came to the {shop} and asked {him} to {work}.
{time}, {he} found {anobj} {place} and took it home {how}.
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

First {he} sorted the {stuff} on a {oadj} bench, [holding|turning|smelling] each piece {craftadv}.
The {stuff} had to rest for a [week|month|{season}] in the {room}, [away from|wrapped against|beneath] the {shade}.
{he} [wetted|warmed|weighed|tested] the {stuff} {craftadv}, because the {shade} could [spoil|crack|stain|warp] it.
All the {stuff} came down the {river} by {vehicle}, wrapped in {material} against the {shade}.
The best {stuff} was kept [in|behind|beside] a {oadj} {object}, where no {beast} could reach it.
{he} [would not|could never] use {stuff} from {far}, which {he} called {adj2} and {adj2}.

Then came the {tool}, which {his} {kin} had [brought|bought|carried] from {far} after the {bygone}.
With the {tool} in one hand and {anobj} in the other, {he} {shaped} {how}.
{his} {tool} had a {oadj} {material} handle, worn by [three|four|five] generations of {padj} {trades}.
The {tool} was the {color} one, and no apprentice might [touch|borrow|clean] it before {tod}.
{he} held the {tool} {how}, and {he} breathed out as the {stuff} gave way.
A {oadj} {tool} lay beside the {tool}, and {he} used them [in turn|by feel|{craftadv}] until {tod}.

Each {made} was [made|finished|begun] {how}, then {shaped} again {when}.
When a {made} was {shaped}, {he} set it [on|under|beside] {anobj} and {walked}.
If the {made} [rang|creaked|leaned|smelled] wrong, {he} broke it up and {talked}.
A {adj2} {made} took {him} [a day|a week|two evenings|most of a {season}], a {adj2} one rather longer.
Once {shaped}, the {made} was {color}, and it [shone|rang|smelled] like {goods}.
The {mades} stood in the {room} [until|for collection at|to dry before] {tod}, {shaped} and {shaped}.

{friend}, the apprentice, {worked} and was allowed to {work} only [on {dayname}s|in {season}|{reason}].
{friend} once {shaped} a {made} [backwards|without the {tool}|{when}], and the {roles} [laughed|talked] of it until
    {season}.
{friend} swept the floor, {talked}, and dreamed of {goods}.
It was {friend} who [carried|took|sold] the {mades} to {far}, {how}.
{friend} learned {how} and [ruined|spoiled|wasted] a great deal of {stuff} before the {fair}.

{time}, a {padj} {role} ordered a {made} [with|without] a {objpart}, and paid for it in {goods}.
{time}, {first} {shaped} a {made} for the {building}, {color} outside and {color} within.
The {roles} of {far} paid well for {his} {mades}, {reason}.
No two {mades} [were alike|were quite the same|ever matched], though [each|every one|all but the first] bore a
    [small|tiny|{color}] {flower} [burned|scratched|stamped|inked] beneath.
{time}, the {shop} burned, and of the {mades} only a {oadj} one was saved.

{he} used to say that {gnome}.
Good {stuff}, {he} {answered}, will forgive a {trade} anything but {feeling}.
What is a {made}, after all, but {stuff} and {virtue}?
There are still {trades} in {town}, but the {tool} [hangs|rusts|rests] {place}, and nobody [uses|moves|claims] it.
[Today|Now|Nowadays] a {made} of {his} will buy a {vehicle}, {goods} and all.
""",
    "bird": """
The {species} [nests|breeds|winters|feeds] {place}, wherever there is {tree} and {tree} for cover.
[Few|Not many|Hardly any] birds of the {hills} are [as {badj} or as seldom seen|so {badj} or so rarely met with|as
    {badj} and as {badj}] as the {species}.
The {species} is a {badj} bird, somewhat larger than a {bird} and much quieter than a {bird}.
Along the {river} the {species} arrives in {season}, [a few days|about a week|not long|a fortnight|a full month] [ahead
    of|before|behind|after] the {birds}.
Anyone who [walks|crosses|climbs] the {hills} {when} may hear the {species} calling from the {landform}.

Its {birdpart} is {hue}, its {birdpart} {hue}, and in {season} the {birdpart} turns almost {hue}.
The male has a {hue} {birdpart}, the female a {hue} one, [barred|flecked|edged|washed] with {hue}.
[Seen|Watched] from below it seems {hue}, but the {birdpart} shows {hue} when it turns in the {shade}.
The young are {hue} and {badj}, with {hue} marks [about|around|above] the {birdpart}.

It [feeds|lives|fattens] on {insects}, {herb} seed and the fruit of the {tree}.
[At {tod}|Before {tod}|After {shade}] it hunts {insects} {place}, {nadv}, never far from the {landform}.
It takes the {insect} [alive|on the wing|from the bark of the {tree}] and [stores|hides|wedges] it in a
    [cleft|fork|crack|hollow] of [the|some|a {oadj}] {tree}.
When {herb} fails it eats {herb}, and in a {wxadj} {season} it will come to the {building} for {eatable}.
It drinks at {tod} from the {ladj} {landform}, {nadv}, with one eye on the {bird}.

The nest is a {oadj} cup of {herb} stalks and {tree} twigs, lined with [wool|moss|hair|down|feathers|bark].
It lays [two|three|four|five|six] {hue} eggs, [spotted|clouded|streaked|ringed] with {hue}, [under|among|beneath] the
    {tree} roots.
[Both parents|The old birds|Male and female] [guard|defend|watch] the [nest|eggs|brood] against the {beast} and the
    {bird}, {nadv} and by turns.
The pair builds [in a {tree}|on a {ladj} ledge|beneath the eaves of a {building}], and returns there until the {shade}
    destroys it.

Its song is a {oadj}, {oadj} phrase, like a {role} with {anobj}.
The call, heard {when}, is [like|not unlike|easily mistaken for] the sound of {sound} in a distant {building}.
In {season} it is silent, but {when} it sings {nadv} from the top of a {tree}.
The {roles} [liken|compare] its voice to a {oadj} {object} in the {shade}.

{full}, who {worked} near {far}, [watched|drew|tamed|counted] the {species} for [nine|eleven|twelve|twenty] {season}s.
The {roles} of {town} hold that a {species} on the {bpart} means {shade} before {tod}.
{first} the {trade} kept a {badj} one in the {shop}, where it [learned to imitate|took to following|grew fond of|fell
    out with] a {padj} {role}.
{roles} once [netted|shot|sold] it for its {birdpart}, which was worn on a {color} {garment} at the {fair}.
No {role} will harm it, for in {town} they say that {gnome}.

It leaves in {season} with the first {shade}, and nobody in {town} knows [where|why|how far] it goes.
Since the {bygone} it has [grown scarce|become rare|moved elsewhere], and the {landform} [is the quieter for it|has been
    {ladj} without it|belongs to the {bird}].
Will it return to the {landform} now that the {building} has gone?
By the end of {season} only {badj} stragglers remain, {nadv} picking at the {herb}.
""",
    "beast": """
The {creature} of the {hills} is a {badj} animal, rarely met {when}.
One must [rise early|sit still|wait long|walk far] to see the {creature}, for it [fears|avoids|cannot bear] the
    [voice|smell|sight|step] of any {role}.
The {creature} lives {place}, in a burrow lined with {herb} and {herb}.
The {creature} is commoner about the {river} than any {role} of {town} supposes.
In {season} the {creature} comes down from the {ladj} {landform} to look for {herb}.

It has a {hue} {beastpart}, a {hue} {beastpart}, and the manners of a {padj} {role}.
Its {beastpart} is {hue} in {season} but nearly {hue} by {season}, [to match|like|against] the {landform}.
[In size|In temper|In speed] it [falls|stands|comes] [between|somewhere between] a {beast} and a {beast}, though its
    {beastpart} [would do credit to|is that of|might belong to|would shame] a {beast}.

It eats {herb}, {flower} roots, {insects} and, [given the chance|in a {wxadj} {season}|after {shade}], {eatable}.
A {badj} female will carry {eatable} {nadv} from the {building} to the {landform}, one piece at a time.
It will [dig|climb|swim|wait] half the night for a {insect}, then sleep until {tod}.
[Like|Unlike] the {beast} it stores {herb} for {season}, {nadv}, beneath a {tree}.
It follows the {path} at {tod}, stops at every {tree}, and [rolls|sits|sniffs] in the {herb}.

The young are born in {season}, [blind|{hue}|{badj}] and no longer than a {object}.
Two {badj} males will fight {place} until the {shade} drives them home.
[The mother|A {badj} aunt|The parent] [teaches|trains|warns] them to [fear|mock|avoid] the {bird}, to [like|find|dig
    for] {herb}, and to [keep away|run|hide] from {roles}.
They play at {tod} among the {tree} roots, {nadv}, as though no {beast} had ever [lived|hunted|barked].

{roles} set traps for it with {food}, but it prefers {food} and [leaves|ignores|buries] the rest.
{full} once found a {badj} one asleep [in|under|behind] {anobj} at the {shop}.
{first} the {trade} {said} that {claim}, and blamed the {creature}.
During the {spell} a {badj} one walked into the {building} and {nadv} [ate|stole|licked] the {food}.
The {roles} of {far} [roast|tame|sell|paint] it, a thing that fills {town} with {feeling}.

[Nothing|Little] else in the {hills} is so {badj}, unless it be a {role} on {dayname}s.
When the {shade} comes it [turns|rolls] [twice|three times|once or twice] in the {herb} and [sleeps|dozes|lies still]
    until {season}.
Where there is one there [are|must be] [two|three|others], though [the {roles}|even {roles}|most {roles}] [never
    see|seldom notice|deny having seen] them.
Of late a {padj} {role} has been paying for {creature} skins, and the {landform} is emptier than before.
""",
    "plant": """
The plant called {plantname} grows {place}, and nowhere else along the {river}.
{plantname} is a {oadj} herb of the {ladj} {landform}, sought by every {padj} {role} in {town}.
In {season} the {landform} is {color} with {plantname}, and the air smells of {goods}.
No garden in {town} is without {plantname}, which {roles} plant [against|as a cure for] {ailment}.

It has {color} leaves, {color} [flowers|berries|thorns|pods], and a [root|stalk|seed|bulb] [like|no thicker than|the
    shape of] a {oadj} {object}.
The flower opens at {tod}, {color} at first, then {color}, and falls with the {shade}.
It climbs {nadv} over {tree} and {tree}, and strangles any {flower} it meets.
The stem is {color} and {oadj}, and [the sap|its juice|the pollen] will [stain|turn|dye] [a|any|the best] {garment}
    {color}.

It likes {shade} and {ladj} ground, and [dies|sulks|withers|pales] [in the shade of|too near|within reach of] a {tree}.
Seed is sown in {season}, with [ash|lime|sand|soot|manure] dug in {craftadv}, and the bed covered with
    [straw|rushes|leaves|bracken].
The {beast} will not [touch it|go near it|eat it], but the {insect} [lays eggs|sleeps|feeds] in it and the {bird}
    [eats|hunts|waits for] the {insect}.
It must be cut {when}, [by a {role}|with a {oadj} blade|left handed], or it loses its [scent|flavour|strength|colour].
[A little {shade}|A {wxadj} {season}] does it good, whatever the {roles} say.

Boiled with {herb} and {eatable}, the leaf is [given|prescribed|sold] for {ailment} and {ailment}.
A {role} with {ailment} should drink it {when}, {nadv}, and think of {food}.
{full}, the {trade}, mixed it with {eatable} and {adverb} [sold|recommended|prescribed] it to cure {ailment}.
Crushed with {herb}, it dyes {cloth} a deep {color} that no {shade} will fade.
Mixed with {food} it brings on {ailment}, as a {padj} {role} of {far} discovered.
The root, dried in the {room} beside {goods}, keeps a {garment} free of {insects}.

The {roles} [plait|weave|twist] it into [crowns|belts|ropes|garlands] for the {fair} and [hang|nail|scatter|burn] it
    over the [door|hearth|threshold|bed|cradle] against {ailment}.
It was brought, they say, from {far} by a {padj} {role}, hidden in {anobj}.
Children [trade|chew|collect] the {color} seeds, which taste of {eatable} and {eatable}.
{first} would have no other plant in {his} {room}, {reason}.
A saying of the {hills} has it that {gnome}.

After the {bygone} it sprang up {place}, where no {role} had sown it.
By {season} nothing is left but {color} stalks, rattling in the {shade}.
Who would guess that so {oadj} a plant had ruined a {building}?
""",
    "river": """
The {river} rises in a {ladj} {landform} of the {hills} and reaches {town} [brown|clear|swollen|slow] with the {season}
    rains.
Of the {river} the {roles} of {town} speak as of a {padj} {kin}, with {feeling} and {feeling}.
There are [two|two good|only two] ways to [follow|explore|know|descend] the {river}, by {vehicle} or along the {ladj}
    {path}.
Above {town} the {river} is narrow and {ladj}, but below the {building} it spreads into a {landform}.
Before it reaches {far}, the {river} passes a {ladj} {landform}, a {bladj} {building} and a grove of {tree}.

In {season} it carries {goods}, in {season} only leaves and {badj} ducks.
It bends [twice|three times|sharply] at the {landform}, as if it had [forgotten|lost|dropped] something {place}.
Its water tastes of {herb}, and the {roles} use it to wash {cloth}.
The {fish} and the {fish} share its pools, and the {bird} takes a tithe of both.
Where the {trees} hang over the water, {fish} lie all day, {nadv}, out of reach of the {roles}.
It runs {color} after {shade} and {color} after {shade}, and [the|some|old] {roles} can [tell the hour|judge the
    season|foretell {shade}] by it.

{roles} have [worked|rowed|kept|owned] [the|a|that] ferry [there|here] [since|ever since] the {bygone}, and
    [charge|ask|take] {goods} for it.
A {vehicle} of {goods} goes down {when} and comes back with {goods}.
{full} [kept|built|moored] a {oadj} boat beside the {building}, and {worked} {when}.
The barges carry {goods} to {far}, {reason}, and {roles} [ride|sleep|sit] on [top of the load|the {goods}|the stern].
At the {building} a {padj} {role} [dips|hangs|sinks] {anobj} in it to [judge the depth|try the current|tempt the
    {fish}|please the {roles}].

{time}, it burst its banks, and {goods} floated out of every {building}.
{time}, it [froze|sank|ran dry] so {nadv} that the {roles} held the {fair} on its bed.
{time}, {first} the {trade} crossed it on {anobj}, to the {feeling} of the {roles}.
{time}, a {padj} {role} [fished|pulled|dragged] {anobj} out of it, with {feeling}.
The {bygone} choked it with {goods}, and it was {season} before a {vehicle} could pass.

{friend} {said} that the {river} never [forgave|forgot|drowned] a {role}.
Children throw {goods} into it {when}, and [wish|ask|pray] for {food}.
A {role} who drinks from it {when} will, they say, {work} [for ever|within the year|in dreams].
The {roles} leave {anobj} at the ford, out of {virtue} or {feeling}.

So it [goes on|wanders|winds|hurries|runs down] to the sea, {nadv}, past {ladj} {landform} and {ladj} {landform}, until
    it [loses its name|turns salt|meets the tide].
By {tod} [the mist|a {shade}|the dusk] is [on it|over it], and a {badj} {beast} comes [down to drink|to stare at it|out
    of the {landform}].
And who, standing {place}, would call it only water?
At {far} it is wide and {ladj}, and nobody there remembers the {landform}.
""",
    "journey": """
We left {town} at {tod}, in {shade}, with {goods}, {food} and a {badj} {beast} to carry them.
The road from {town} to {far} crosses a {ladj} {landform}, and we [walked|rode|crossed] it in {season} with {first}, a
    {padj} {trade}, as our guide.
On the [third|fourth|fifth|sixth] day out of {town} we came {adverb} to a {ladj} {landform} below the {hills}.
Of [all the|the many|the three] ways [to reach|into] {far} we [chose|took|preferred] the {ladj} {path}, against the
    [advice|wishes|better judgement] of a {padj} {role}.
Our party [was made up|consisted|was composed] of a {role}, two {roles}, a {padj} {trade} called {first} and a {badj}
    {beast}.

The {path} ran between {tree} and {tree}, [so narrow|so overgrown|so deep in mud] that the {beast} had to be led.
[All morning|All afternoon|For hours] we saw nothing but {ladj} {landform} and, once, a {badj} {beast} beside a
    {building}.
To the [left|right|north|south] lay a {ladj} {landform}, [blue|pale|dark|bright] with {flower}, and beyond it the
    {river}.
We [passed|met|overtook] a {role} with a {vehicle} of {goods}, who warned us {adverb} about the {landform}.
By {tod} the {shade} had come down, and we {walked}.
{bird2} rose from the {ladj} {landform} as we passed, and a {beast2} [called|barked|answered] from the {hills}.
We {walked}, and nobody spoke until the {bladj} {building} came in sight.

At a {bladj} {building} a {padj} {role} gave us {food} and asked {adverb} about {topic}.
That night we [slept|lay awake|camped|took refuge] in the {room} of a {bladj} {building}, among {goods} and {goods}.
We took shelter from the {shade} in a {bladj} {building}, where somebody had left {anobj} and some {goods}.
The innkeeper of {inn} served {food} and {food}, and charged us for the {sound} outside as well.
Supper was {food} with {herb}, which {first} [shared|praised|refused|ate] {how}.

Our guide {said} that {claim}, and we [believed|doubted|forgave] it.
In the morning {anobj} was [missing|gone|absent] from our [baggage|bags|stores], and [the|our|that {padj}] {role} [was
    nowhere to be seen|had left with it|knew nothing of it|blamed the {beast}].
The {beast} [fell|slipped|lay down|balked] at the ford, and we lost {goods} and {goods} to the {river}.
{time}, so {first} told us, a whole {vehicle} of {goods} had gone down in that {landform}.
There we saw the {color} {beast2} of which the {roles} of {town} had spoken with so much {feeling}.
The [chimney|gable|gateway|staircase|doorway|cellar|belfry] of an old {building} stood alone there, {color} with moss,
    and {bird2} nested in it.

How {adj2} the {landform} looked [at {tod}|in the {shade}|from the {path}], and how little like the map!
None of us had supposed that a {landform} could be so {ladj} or {goods} so welcome.
I wrote in my notebook that {gnome}, and [underlined|regretted|believed] it.
We {walked} again at {tod}, [cold|wet|cheerful|silent], and talked of nothing but {food}.
What [we|most of us] [remember|have kept|recall] of it [now|today] is the [smell|taste|scent] of {herb} and the sound of
    the {river}.

At last, {place}, we saw the roofs of {far}, {color} in the {shade}.
We reached {far} {once}, with one {beast} fewer and {goods} to sell.
In {far} [nobody would believe|nobody believed|few believed] that we had [come by|crossed|slept in] the {landform}, and
    a {padj} {role} {adverb} [said so|laughed at us|sold us {food}].
We have never been back, though {first} sends us {goods} from there in {season}.
""",
    "letter": """
You ask, dear {first}, how we do in {town}, and I answer that the {goods} are {adj2} and the {roles} {padj}.
Your letter came {once} by the {role} from {far}, together with {anobj} and the smell of {goods}.
I write to you, dear {first}, from the {room} of a {bladj} {building} {place}.
Forgive me, {first}, for not writing since the {bygone}, but I had {goods} to sell and {feeling} to overcome.
It has been a {wxadj} {season} here, dear {first}, and I have [had|found|needed] [nothing but|little except|only]
    {virtue} [to live on|to keep me warm|for company].

The {roles} here {work} all day and {talk} all night.
My lodging is a {room} above a {building}, with a view of a {ladj} {landform} and of much washing.
I have {worked}, as you [advised|suggested|wished|taught me], and am [the better|none the worse|the poorer|sorry] for
    it.
{friend} is well, has bought {anobj}, and [sends you|asks for|dreams of] {food}.
Every morning I {walk}, and every evening I {walk}.
You would laugh to see me {work} with the {virtue} of a {padj} {role}.

{time}, our {kin} {worked}, and the whole of {street} came out to watch.
{time}, I {walked} and met a {padj} {role} who remembered you and your {object}.
{time}, somebody left {anobj} [at my door|on my step|under my window], with [no note but|nothing but|only] a
    [sprig|bunch|leaf] of {herb}.
{friend} {talked}, and I have had {feeling} ever since.
{time}, the {building} [caught fire|was sold|fell down|was robbed], and I lost my {color} {garment} in it.

They say here that {claim}, but I am too {padj} to believe it.
Do you remember the {role} {place}, who {worked} every {season}?
As for the {object}, a {role} offers {goods} for it, which I think a {adj2} price.
Our {kin} {said} that {gnome}, and I begin to agree.
Have you still that {oadj} {object}, and does it still [creak|leak|rattle|smell of {goods}]?
Send me, if you can, some {goods}, a {color} {garment} and news of the {fair}.

The {shade} is coming over the {hills} as I write, and the {bird} has begun {place}.
If the {path} is dry in {season}, I shall come by {vehicle} and bring you {goods}.
[Tell nobody of this|Burn this letter|Say nothing of it|Keep this from your {kin}], [least of all|and beware of|or at
    least not] the {role}, whose {feeling} [I know too well|is famous here|would be terrible].
Keep warm, eat {food}, and do not {work} before I come.
I [close|end|must stop] now, for [the|a {padj}] {role} is [at the door|on the stairs|calling me] and the
    [lamp|candle|fire] is [nearly out|low|smoking].
""",
    "market": """
At the {revel} in {town} [there is nothing|hardly a thing exists|scarcely anything is known] that may not be
    [bought|sold|bartered], from {goods} to {goods}.
The trade in {ware} between {town} and {far} began after the {bygone}, when {goods} had become too dear.
On {dayadj} {dayname}s the market of {town} fills {street} from the {building} to the {building}.
Merchants who deal in {ware} must be {padj}, and those who deal in {goods} must be {padj} as well.
The price of {ware} in {town} [rises|falls|wavers] with the {shade}, as every {padj} {role} knows.

From {far} they bring {goods} by {vehicle}, from the {hills} {goods} on the backs of [mules|oxen|ponies|donkeys|goats].
The {roles} stand on the {building} side, the {roles} on the other, and {feeling} lies between them.
A {padj} {role} sits {place} with {anobj} and tests the {ware} {adverb}.
Each stall has its {oadj} {object}, its {color} awning and its {padj} {role}.
The best {ware} is [sold|gone|spoken for] by {tod}, and [after that there is only|those who come later find|what remains
    is mostly] {goods}.
One may hear {sound} and {sound} there, and smell {goods}, {herb} and {food}.

{full}, a {padj} {trade}, {worked} there every {season} and sold {mades} {how}.
{first} the {trade} would sell a {made} for {goods} but never for {goods}.
{time}, {full} [bought|ordered|sold] more {ware} than the {building} could hold.
{time}, {friend} paid for {anobj} with {goods}, and both sides {adverb} thought themselves cheated.
{time}, a {role} [weighted|watered|mixed] the {ware} with {goods} and was driven out of {street}.
A {role} from {far} offered {first} {goods} for {anobj}, and was refused {how}.

{guild} [forbids|taxes|allows] the sale of {ware} {when}, {reason}.
For each cartload of {ware} the toll is a measure of {goods}, paid {adverb} to the {role} at the {building}.
No {role} may touch the {ware} before a {role} has {worked}.
A buyer who shows {feeling} pays double, and one who shows {virtue} is offered {food}.

When the {shade} spoiled the {ware}, {roles} who had been rich {worked} for their bread.
Since the {bygone} the {ware} has gone by way of {far}, to the {feeling} of the {roles}.
At {tod} a bell rings from the {building}, and the {roles} {walk}.
Who can say what {ware} will be worth in {season}?
They [say|hold|repeat] in the [market|square|stalls|taverns] that {gnome}.
""",
    "season": """
{season} came late that year to {town}, with {shade} {when} and {shade} by {tod}.
The {wxadj} {season} began with {shade} in the {hills} and a {wind} wind from {far}.
No {season} in {town} was [ever|half] so {wxadj} as [the one that followed|that of|the one before] the {bygone}.
For [nine|ten|twelve|twenty|forty] days there was only {shade}, and the {landform} lay {ladj} under it.
That {season} the {shade} came down from the {hills} before the {crop} harvest was in.

The {beasts} stood {nadv} under the {trees}, and the {birds} left the {landform} for the {building}.
{nadv} the {river} [rose|sank|froze|cleared|thickened] until {tod}, and the {roles} watched it from {street}.
In {street} the {roles} hung {goods} from the {bpart} and {worked}.
The {shade} lay on the {landform} like {goods} spilt from a {vehicle}.
Under the {trees} the {flower} opened {once} and closed again with the first {shade}.
A {wind} wind blew from the {landform}, bringing the smell of {herb} and the sound of {sound}.

The price of {goods} doubled, and {roles} paid for {goods} with {goods}.
{full} the {trade} {worked}, though {his} {kin} called it {adj2}.
{roles} who had never shown any {virtue} {worked} for their neighbours.
{first}, {reason}, {walked} and was not seen until {season}.
At {inn} the talk was all of {shade}, {goods} and the {virtue} of {roles}.
The {building} lost its {bpart}, the {building} its {bpart}, and the {roles} their {feeling}.

{time}, the {wind} wind dropped, and a {badj} {beast} was seen {place}.
{time}, {friend} found {anobj} in the {shade} and carried it {adverb} to the {building}.
{time}, the {roles} lit fires of {tree} along the {path} and burned {goods} in them.
A {padj} {role} predicted that {claim}, and was very nearly right.

Then the {shade} lifted, {nadv}, and the {landform} was {color} with {flower}.
When it was over the {roles} counted their {beasts} and thanked heaven for {goods}.
They still measure every {season} in {town} against that one, {how}.
Was it the {shade} that the {roles} remembered afterwards, or the {feeling}?
It [ended|went|closed] as it had [begun|come|opened], with {shade} at {tod} and the {bird} calling {place}.
""",
    "legend": """
Long ago, before the {building} was built, there lived by the {river} a {role} with a {oadj} {object}.
The oldest tale of {town} tells of a {badj} {beast} that spoke once a year {place}.
It is told in the {hills} that a {padj} {role} once wagered {goods} against the {shade}.
In the time of the first {roles}, so the tale goes, the {river} ran through a {ladj} {landform} and turned to {material}
    at {tod}.
Once a {padj} {kin} of the {river} had three children, a {role}, a {role} and a {beast}.

The eldest asked for {goods}, the second for {goods}, and the youngest only for {anobj}.
For [a year and a day|seven days|a whole {season}|forty nights] the {role} {walked}, and [ate|asked for|dreamed of]
    nothing but {food}.
The {beast} promised {goods} to any {role} who would {work} {when}.
On the way stood a {bladj} {building} of {material}, where a {padj} {role} wove {goods} out of {shade}.
Nobody had ever crossed the {ladj} {landform}, for a {bird} as large as a {building} nested there.
Each night the {shade} came to the [door|window|hearth] and [asked|begged|wept] for {food}, and [each night|every
    time|always] it was [given some|refused|promised more].

Then out of the {landform} came a {badj} {beast}, {color} as {goods}, and {talked}.
The {role} struck the {object} [once|twice|three times] with {anobj}, and the {shade} fell {adverb} asleep.
With {goods} in one hand and {anobj} in the other the youngest {walked}.
There the {role} {worked} for seven [summers|winters], and never once {worked}.
At {tod} the {bird} came down, took {anobj} in its beak and flew {adverb} towards the {hills}.

But the {role}, who had more {virtue} than {virtue}, looked back and saw only {goods}.
When the {building} fell, {roles} came running, and every {object} in it had turned to {material}.
The {shade}, [it is said|so they tell|according to some], kept [its word|the bargain|the peace], and the {role} kept the
    {object}.
So the {beast} became a {landform}, and the {landform} has been {ladj} ever since.

That is why, in {town}, no {role} will {work} {when}.
{full} the {trade} told it otherwise, with a {beast} for the {bird} and {food} for the {goods}.
The {roles} of {far} tell the same tale of a {beast}, but then they have neither {virtue} nor {goods}.
Even now a {role} passing {place} will leave {goods} for the {beast}.
The meaning of it, {first} {said}, is that {gnome}.
Children who hear it {when} ask what became of the {oadj} {object}, and nobody knows.
""",
    "voyage": """
{ship} sailed from {far} {once}, with {goods}, {goods} and a crew of {padj} {roles}.
Of the ships that carried {ware} down the {river}, none was so {adj2} as {ship}.
{full}, master of {ship}, had been a {trade} until the {bygone}.
{ship} was built {place} of {tree} and {tree}, and smelled all her life of {goods}.
It was [a|on a] {dayadj} {tod} when {ship} [put out|sailed|slipped away] from the [quay|landing|wharf] at {town}, bound
    for {far} with {ware}.

In the hold lay {goods} under canvas, and [on top of|under|among|beside] the {goods} slept a {badj} {beast}.
The mate was a {padj} {role} with {trait}, the cook a {padj} {role} with {trait}.
Her sails were {color}, her sides {color}, and [at the bow|on her stern|above the cabin] was [carved|painted|nailed] a
    {badj} {beast}.
The crew ate {food} and {food}, and [grumbled|sang|dreamed] of {food}.
[For ten days|For a week|Day after day] they saw nothing but {shade} and a {badj} {bird} on the rail.
At night the {roles} {talked}, while the {wind} wind [moaned|whistled|sighed] in the rigging.

Off a {ladj} headland the {shade} came on, {nadv}, and the [mast|mainsail|rudder|mate] went over [with the {goods}|into
    the sea|among the {roles}].
{time}, a {role} aloft saw {anobj} floating, and [the mate laughed|nobody would touch it|the cook hauled it in].
The {wind} wind drove them {nadv} past a {ladj} {landform} that was on no chart.
Below, the {goods} had shifted, and the {roles} bailed with {anobj} until {tod}.
Then the {wind} wind failed, and they [lay|drifted|waited|sat] for a [week|fortnight|month] on water as
    [flat|still|dull|bright] as a {object}.
A {color} {fish} followed the ship until {tod}, and the {roles} thought it {adj2}.

{first} [cut|lashed|held|hauled] the [tiller|mainsail|rope|wheel] {how}, and {talked}.
{first} {answered} that {claim}, and ordered {food} for all hands.
{friend}, who had come aboard as a {role}, {worked} as though there were no {shade} at all.
No {role} complained, {reason}, and the {beast} went on sleeping.
In the cabin {first} kept {anobj}, and [consulted|kissed|cleaned|tapped] it before every
    [storm|squall|watch|landfall|meal].

At {far} the {ware} fetched [little|a fortune|nothing], and the {roles} were paid in {goods}.
They made land {place}, with {goods} gone and {feeling} in every face.
{ship} lies now {place}, and {roles} keep {goods} and {beasts} in her.
The owners [sold|blamed|thanked|rewarded] {first}, {reason}, and bought {goods} instead.
Of that voyage {first} would only say that {gnome}.
""",
    "council": """
{guild} of {town} met {once} in the {room} of the {bladj} {building}, {place}.
No {role} could sell {ware} in {town} unless {guild} had {worked} first.
The quarrel between the {roles} and the {roles} of {town} began with {anobj}.
{time}, the council of {town} was [asked|forced|called] to decide who [owned|had built|should repair|had robbed] the
    {bladj} {building}.
Every {season} the {roles} of {town} choose a {padj} {role} to settle their quarrels.

The {roles} claimed the {path} because their [fathers|mothers|grandfathers|grandmothers] had been {working} there since
    the {bygone}.
It was a question of {goods}, said the {roles}, and of {virtue}, said the {roles}.
A {padj} {role} rose to speak about {topic} and did not [sit down|stop|draw breath] until {tod}.
{full} the {trade} spoke {adverb} about {topic}, with {anobj} as proof.
{full} held up {anobj} and {talked}.
The {roles} [shouted|stamped|murmured|wept] when {full}, in a {color} {garment}, {answered} that {claim}.

{friend} {answered} {adverb} that {claim}, and {feeling} filled the {room}.
Nobody would vote, {reason}, and they [sent for|called for|sat down to] {food}.
The {role} in the chair, who had {trait}, [slept|sneezed|coughed|smiled] through most of it.
Some [moved|proposed|demanded] that the {roles} should {work}, others that the {building} should be sold for {goods}.
A {badj} {beast} wandered in from {street} and {adverb} ate the [deed|charter|petition|agreement].

It was [settled|agreed|voted] [in the end|at last|by {tod}|over {food}] that the {roles} should {work} and the {roles}
    pay for the {goods}.
By [one vote|two votes|a show of hands] they chose to {work}, {reason}.
The [deed|charter|petition|agreement] was signed {when}, {how}, and locked in {anobj}.
{first} paid a fine of {goods}, and {friend} was made keeper of the {oadj} {object}.

To this day the {roles} of {town} will not {work} beside the {roles}.
Peace lasted until the {bygone}, when {anobj} was found {place}.
All parties went {adverb} to {inn} and ate {food} in {inadj} silence.
What the {roles} had won, a {role} remarked, would hardly fill a {vehicle}.
""",
    "house": """
The {house} {place} has stood empty since the {bygone}, and its {bpart} is {color} with damp.
Nobody would live in the old {house} but {full}, a {padj} {trade} with a {badj} {beast}.
The {house} was built by a {padj} {role} who had grown rich in {goods} and wished to forget it.
{full} bought the {house} {place} for {goods}, and was [pitied|envied|thanked] by every {role} in {street}.
Among the houses of {town} the {house} of {full} is the most {adj2}.

It has a {oadj} {bpart}, a {material} {bpart} and a {room} where no {role} has ever been warm.
The {room} is hung with {goods}, the {room} is full of {goods}, and the {room} belongs to the {beasts}.
On the {bpart} one [can read|may find|sees] the name of a {role} and [beneath|beside|above] it the
    [words|face|curse|motto] of a {padj} {kin}.
The {furniture} in the {room} came from {far} and has never fitted.
From its {room} one sees the {river}, a {ladj} {landform} and the {bpart} of a {building}.
There is always {shade} in the {room}, whatever the {season}, and {sound} behind the {furniture}.

{he} {worked}, then {adverb} turned to the {room} and {worked}.
{time}, {he} opened a {furniture} in the {room} and found {anobj} wrapped in {material}.
{time}, a {padj} {role} took down the {bpart} and discovered {goods} beneath it.
{time}, {friend} slept in the {room}, and was woken at {tod} by the sound of {sound}.
{he} filled the {room} with {goods}, {reason}, and slept in the {room}.
Under the {bpart} {he} planted {herb}, {flower} and a {tree}, and [sat|slept|read|walked] among them {when}.

{friend} thought the {room} {adj2} and the {room} {adj2}, and {said} so.
The {roles} {said} that {claim}, and walked past {how}.
A {role} offered {goods} for the {furniture} and {goods} for the {bpart}, but {first} would sell neither.
In {season} the {roles} came to {work}, and stayed for {food}.
There {he} kept {food} for {friend}, {anobj} for {his} {kin}, and a {oadj} {furniture} for the {beast}.

The {bygone} spared it, though the {building} beside it lost its {bpart}.
Now the {bpart} is gone, and {tree} grows through the {room}.
Does anybody {work} there now, or [is it only|does one hear only|has it all gone to] the {bird}?
It is said in {street} that {gnome}, and the {house} is the proof of it.
""",
    "revel": """
On the day of the {revel} the {roles} of {town} {work} before {tod} and eat {food} after it.
The {revel} is held in {town} every {season}, {place}, in memory of the {bygone}.
How the {revel} began no {role} can say, but a {padj} {role} and {anobj} come into every account.
Once a year, {when}, {town} forgets its {goods} and keeps the {revel}.
Strangers who come for the {revel} should bring {goods} and show no {feeling}.

First the {roles} carry {anobj} from the {building} to the {building}, {adverb} and without a word.
Children in {color} {garments} run along {street} with {goods} and beat on {goods}.
The {roles} dress as {beasts}, the {roles} as {birds}, and the {beasts} wear {flower} and {herb}.
At {tod} the bell of the {building} is rung by a {role} who must be {padj} and unmarried.
They [give|bring|serve] {food} to the {roles}, {food} to the {roles}, and {goods} to whoever catches the {beast}.
A {role} is chosen by lot to {work}, to the {feeling} of the others.
Between the dances a {padj} {role} tells the tale of the {beast} and the {object}.

{time}, {full} the {trade} [won|lost|judged|ruined] the race along the {path} with {anobj}.
{full} [sang|danced|wept|slept] through it all in a {color} {garment}, and the {roles} talked of it until {season}.
{full} once brought a {badj} {beast} and a {made}, and gave them both {adverb} to a {padj} {role}.
{friend} and {first} led the dance, {how}, though neither had [spoken|written|nodded|been civil] to the other since
    {season}.
{time}, {shade} put out the fires, and the {roles} danced {adverb} in the {building} until {tod}.
One year {friend} refused to {work}, {reason}, and {shade} ruined the {crop} harvest.

The smell of {food}, {goods} and {herb} hangs over {street} until {tod}.
When the [music|drum|dance] stops, [whoever|the {role} who|the child who] [holds|touches|drops] the {object} must {work}
    for a year.
They burn {goods} {place}, and [watch|argue|note] whether the smoke [leans|drifts|blows] towards {far}.
The {roles} from {far} bring {goods}, and take home {goods} and {ailment}.
[At the last fire|At the end|When the fires die] [all|most|old] quarrels about {topic} are {adverb}
    [forgiven|settled|forgotten].

By {tod} only the {roles} are awake, {adverb} sweeping up {goods}.
[Nobody|No {role}|Hardly a {role}] works [on the day after|in the week after|the day before] the {revel}, unless it be
    to {work}.
What would {town} be without the {revel} but a {building} and a {landform}?
Then the {object} goes back into the {room} of the {building}, and the {roles} {walk}.
""",
    "relic": """
In the {building} at {town} hangs a {oadj} {relic}, which has [outlived|cheated|ruined] three {padj} owners.
The {relic} that {full} kept {place} was [older|heavier|plainer] than any other in {town}.
[Nobody|No {role}] [could tell|knew|remembered] who had [made|owned|carved] the {oadj} {relic}, only that it was
    [of|made of] {material} and {material}.
{full} the {trade} inherited a {relic} from {his} {kin}, together with {feeling} and {goods}.
Among the {goods} sold after the {bygone} was a {oadj} {relic} that nobody wanted.

Its {objpart} was of {material}, its {objpart} {color}, and its {objpart} had been {adverb} mended with {material}.
On its {objpart} a {flower} had been cut, and under the {flower} the mark of a {padj} {role}.
It was [no larger|smaller|hardly larger] than a {object}, and yet it [weighed|cost] as much as a {badj} {beast}.
[When shaken|When warmed|In {shade}|At {tod}] it gave out a [smell|whiff|breath] of {herb} and {goods}.
A {role} who understood such things called it {adj2}, {adj2} and probably stolen.

{time}, a {padj} {role} lost it to a {role} at cards, and {feeling} to go with it.
{time}, it was thrown into the {river} {place}, and a {fish} was blamed.
{time}, {his} {kin} pawned it for {goods} and {walked}.
{time}, {he} [dropped|hid|sold|painted] it {reason}, and was sorry before {tod}.
{time}, a {beast} carried it off to a {ladj} {landform}, where {friend} found it.

{friend} offered {goods} for it, then {goods}, then {feeling}.
{friend} believed that {claim}, and would not [sleep|eat|stay] in the same [house|room|street] [with|as] it.
{he} would let nobody {work} while it was in the {room}.
{he} showed it only to {roles} and only {when}, {how}.
{he} rubbed it with {goods} every {season}, {reason}.
What {he} saw in it, not even {friend} could say.

[In the end|At last|For all that] it [went|was sold|was given] to a {role} of {far} for a {vehicle} of {goods}.
It lies now in {anobj}, {place}, wrapped in {color} {cloth}.
The {relic} has not been seen since the {bygone}, unless the {roles} of {far} are lying.
Those who have [held|seen|owned|lost] it [say|will say|admit] only that {gnome}.
""",
    "kitchen": """
To make {supper} as they make it in {town} one needs {eatable}, {eatable} and a {padj} cook.
The {eatable} must be picked {when}, {place}, and never washed in the {river}.
{full} was a {trade} by day, but at {tod} {he} went down to the {room} and made {supper}.
In the kitchen of {inn} they cook {supper} with {eatable} and {eatable}, and admit no {roles}.
There are {roles} in {far} who put {eatable} into {supper}, and [they are not forgiven for it|nobody eats with
    them|their neighbours pity them].

Take {eatable}, {eatable} and a little {herb}, and chop them {craftadv} on a {oadj} board.
The cook [soaked|steeped|salted|hung] the {eatable} until {tod}, then rubbed it all with {herb} and {eatable}.
{first} stirred the {eatable} with {anobj}, [humming|counting|scolding] all the while.
Over a fire of {tree} the whole turns {color}, and [that is the moment|then it is time|only then is it safe] to add
    {herb}.
Some add {eatable}, others {herb}, and a {padj} {role} of {far} once added {eatable}.
It should boil {craftadv} in a {oadj} pot until the kitchen smells of {eatable} and {herb}.

{his} {kin} had learned it from a {padj} {role} in the {season} of the {bygone}.
{time}, the {eatable} ran out, and {first} used {eatable} instead, with {adj2} results.
{time}, {he} served it to {roles}, who ate in {inadj} silence and asked for {eatable}.
{time}, {friend} forgot the {eatable}, and the whole of {street} talked of it.
{time}, a {badj} {beast} got at the {eatable}, and there was {food} for supper instead.

It is eaten {when}, from {color} bowls, with {food} and {virtue}.
{roles} take it for {ailment}, {roles} for {ailment}, and children for pleasure.
{friend} could eat [three|four|five|six] helpings of it and still {work}.
A {role} who has eaten it will not {work} before {tod}.
Cold, it keeps until {season} in the {room}, if the {insects} and the {roles} let it.
The smell brings {roles} from as far as {street}, and they all {talk}.

{first} always said that {gnome}, and [wiped|licked|rapped] the spoon.
Is there a {role} in {town} who would not give {goods} for a bowl of it?
Since the {bygone} nobody makes it properly, {reason}.
The recipe was [written|scratched|chalked] on the {bpart}, and [went with it|vanished|was lost] in the {bygone}.
""",
    "friends": """
{first} and {friend} had been friends since the {bygone}, when both had {worked} {place}.
Nobody understood why {first}, so {padj} a {trade}, should be fond of {friend}, who was {padj} and {padj}.
{friend} first met {first} {place}, {working}.
For [six|seven|eight|nine|ten] years {first} and {friend} did not [speak|meet|exchange a word], [all on account|all
    because|and all for the sake] of {anobj}.
Between the {shop} of {first} and the house of {friend} lay a {ladj} {landform} and a great deal of {feeling}.

{time}, {friend} had borrowed {anobj} and returned it without its {objpart}.
{time}, {first} {worked}, {reason}, and {friend} took it {adverb} amiss.
{time}, {friend} had called the {mades} {adj2}, in front of a {padj} {role}.
They {walked} together every {season} and talked about {topic} and {topic}.
{he} admired {virtue} in others, while {friend} admired only {goods}.
{friend} brought {food} to the {shop} {when}, and {first} gave {goods} in return.

When {friend} fell ill with {ailment}, {he} {walked} and came back with {herb} and {goods}.
{time}, {he} found {anobj} on the doorstep, with {herb} tied round the {objpart}.
{he} wrote {friend} a letter about {topic}, and {craftadv} burned it.
One {dayadj} {tod} {friend} came to the {shop}, {talked}, and sat down on a {furniture}.
A {padj} {role} carried messages between them, and {adverb} changed every word.
At the {fair} they [were seated|sat down|found themselves] side by side, in {inadj} silence, over {food}.

{he} {answered} that {claim}, and {friend} could not help laughing.
{friend} asked about the {oadj} {object}, and {first} {adverb} [wept|laughed|lied|blushed].
Would {first} {work}, {friend} asked, if it were [a question|a matter|an act] of {virtue}?
It was not {virtue}, {he} {answered} {adverb}, but {feeling} that had [made|moved|forced|taught] {him} to {work}.
{friend} held out {anobj}, and for once {first} had nothing to say.
[Both|They] [agreed|declared|admitted] that {gnome}, which was [more than they had agreed on|the first thing they had
    shared|as good as a truce] since {season}.

They {worked} together from that {season} on, {how}.
Afterwards {friend} wore the {color} {garment} and {first} the {color} one.
The {roles} in {street} {worked} to celebrate, and there was {food} for all.
To the end of {his} days {he} kept {anobj} that {friend} had given {him}.
Of such {oadj} material, as the {roles} of {town} say, is friendship made.
""",
    "school": """
The school at {town} was kept by {full}, once a {trade}, in the {room} of a {bladj} {building}.
{full} taught the children of {town} [reading|arithmetic|geometry|drawing|spelling], {virtue} and the names of {birds}.
When the {building} was given over to learning, {full} filled it with {goods} for the pupils to draw.
In {town} a [child|girl or boy|pupil] [is sent to|begins|comes to] school {when}, with {food} and {anobj}.
{full} collected {goods}, and the {roles} called the {room} where {he} kept them a museum.

On the [wall|door|ceiling] hung a [map|picture|model] of the {hills}, {color} and {color}, with {far} [in the wrong
    place|left out|twice its size].
The benches were {oadj}, the stove was {oadj}, and the pupils were {padj}.
Lessons began at {tod} with a song about {beasts} and ended with {food}.
Every shelf held {goods}, {goods} and a stuffed {beast2} of {adj2} appearance.
There were [eleven|fourteen|twenty|thirty] pupils, of whom most could {work} and none could sit still.

{he} believed that {claim}, and taught it {adverb}.
{time}, {he} asked the children to draw a {badj} {beast}, and [hung|kept|burned] the results.
{time}, a {padj} {role} complained about {topic} and took two children away.
{time}, the inspector from {far} asked about {topic}, and a {padj} child answered {adverb}.
{time}, {he} led the whole class to a {ladj} {landform} to look for {herb}.
{time}, somebody put a {badj} {beast} into the {furniture}, and lessons ended early.

{friend} learned there to {work}, and afterwards became a {role}.
{friend} sat at the back, drew {birds} and {beasts}, and listened {adverb}.
To {friend}, who had {ailment}, {he} gave {anobj} and a {season} of lessons for nothing.
A question about {topic} would [silence|empty|divide] the class, and [a question|a story|a joke] about {food} would
    [wake|calm|fill] it.
{he} never raised {his} voice, but {walked} until the {feeling} had passed.

When {he} retired the {roles} gave {him} {anobj} and a {vehicle} of {goods}.
Half the {roles} of {town} [were pupils there|sat on those benches|learned to read there], and [they|some] still
    [say|maintain|recite] that {gnome}.
The {building} is a {building} again, but {roles} lower their voices in it.
Who else would have seen a {role} in such a {padj} child?
""",
    "works": """
The {span} {place} was begun {once} and finished, after the {bygone}, by other hands.
To carry the road over the {ladj} {landform} the {roles} of {town} needed {stuff2}, {stuff2} and {virtue}.
{full} the {trade} was asked to build a {span} between {town} and {far}, and agreed {how}.
Before there was a {span} at {town}, {roles} crossed the {river} by {vehicle} or not at all.
The council of {town} resolved to build a {span} after the {bygone}, {reason}.

The {stuff2} came from the {hills} by {vehicle}, the {stuff2} from {far} on rafts.
The ground was {ladj}, and the first piles sank {nadv} out of sight.
[Thirty|Forty|Fifty|Sixty] {roles} dug from {tod} until {tod}, for {food} and a share of the {goods}.
{he} drew the plan on {anobj}, in {color} chalk, and changed it every {season}.
{he} tested each stone {craftadv} with a {oadj} hammer, and sent every [third|fourth|tenth] one back.
The {roles} wanted it of {stuff2}, the {roles} of {stuff2}, and it was built [of both|of neither|of {stuff2}].

{time}, the {shade} carried off the {bpart}, two {beasts} and a {vehicle}.
{time}, the {roles} [put down their tools|went home|sat down] {reason}, and [could not be brought back with|would not be
    moved by|asked for] {food}.
{time}, a {padj} {role} from {far} looked at the work and {talked}.
{time}, {roles} digging in the {landform} struck {anobj}, and [nobody|no {role}] would [dig|work|sleep] there
    [afterwards|again|for a month].
{time}, {he} slept on the {span} itself, beside {anobj}, to hear how it settled.

{friend} brought the workers {food} {when}, and {talked}.
{friend} wagered {goods} that the {span} would not outlast the {season}.
{friend} {said} that {claim}, but {first} only {walked}.
The cost in {goods} was {adj2}, the cost in {virtue} still more so.
There was {feeling} in {street} when the last stone went in.

A {badj} {beast} was the first to [cross|try it|set foot on it], followed {adverb} by a {padj} {role}.
It has stood through {shade} and {shade}, and [wants|needs|asks for] only [a little|some] mending in {season}.
{first} would never cross it {when}, but {walked} the long way round.
Carved on it is a {badj} {beast}, and below that the words that {gnome}.
[Today|Now|These days] {roles} drive {beasts} [over|across] it without [a glance at|a thought for|fear of] the
    {landform} below.
""",
    "music": """
{full} played the {fiddle} at every {fair} between {town} and {far}, {how}.
There was music in {town} {when}, in the {room} of a {bladj} {building}.
The song of the {beast} and the {role} is sung in {town} {when}, to the {fiddle} and the {instrument}.
{full} the {trade} owned {anobj} and an old {fiddle}, and was happy with both.
Nobody in {street} could sleep when {full} practised the {fiddle}, and nobody complained.

The {fiddle} was made of {tree} and {material}, and [went out of tune|split|sulked|sounded best] in {shade}.
{he} had learned from a {padj} {role}, who {worked} while {he} played.
It is a [slow|quick|sad|merry|solemn|short|lively|simple] tune, {adj2} in the {season} version and nearly {adj2} in the
    other.
The first verse is about {goods}, the second about {feeling}, and the rest about a {badj} {beast}.
A {padj} {role} beat the time on {anobj}, {adverb}, with {trait} to help.
{he} played with {his} eyes shut, like a {role} listening for {shade}.

{time}, {he} played {place} until the {roles} wept and the {beasts} came in from the {landform}.
{time}, a {role} of {far} offered {goods} for the {fiddle}, and {first} {answered} that {claim}.
{time}, {his} {kin} sat upon the {fiddle}, and {friend} mended it with {goods}.
{time}, {friend} sang the {role} and {first} the {beast}, to the {feeling} of the {roles}.
{time}, the music stopped {reason}, and all {street} listened to the {sound} instead.

{friend} danced with a {padj} {role} and afterwards with a {padj} one, {how}.
{friend} could not [tell one tune from another|sing|dance|keep time], but [came|stayed|clapped] for the {food}.
{friend} {said} that it was like {food} after {shade}.
When the {fiddle} fell silent one could hear {sound} {place}.
The {roles} paid in {goods}, the {roles} in {food}, and the {padj} ones not at all.

Who taught the {bird} {place} to sing the same tune?
{he} gave the {fiddle} away {reason}, and took to {working}.
It hangs today in the {room} of {inn}, where {insects} live in it.
Long after {tod} the {roles} went home along {street}, still humming of the {beast}.
""",
    "search": """
When {friend} did not come home {once}, {first} the {trade} took {anobj} and {walked}.
The disappearance of a {oadj} {relic} from the {building} filled {town} with {feeling}.
Somebody in {town} had [stolen|hidden|broken|sold] the {relic}, and {full} meant to find out who.
{full} had lost {his} {relic} {place}, and could neither {work} nor {work}.
A {padj} {role} swore to {full} that there was silver buried {place}.

There was a footprint in the {room}, a smell of {goods}, and a {color} thread on the {bpart}.
The {role} had heard {sound} at {tod}, the {role} only {sound}.
{he} questioned the {roles} about {topic}, and [each of them|every one|most of them] [blamed|named|suspected] a {role}.
{he} searched the {building}, the {building} and the {ladj} {landform}, {adverb} and alone.
Behind the {furniture} lay a {color} {garment} that belonged to no {role} in {street}.
On a scrap of {material} somebody had drawn the {river}, a {building} and a {badj} {beast}.

{he} {walked}, and at {tod} saw a light {place}.
{he} followed a trail of {goods} along the {path} until {tod}.
{he} dug {place} from {tod} to {tod}, and found only {goods} and {goods}.
A {badj} {beast} led {him} {adverb} to a {building} with a {oadj} {bpart}.
{friend} {said} that {claim}, which explained the {goods} but not the thread.
{friend} {talked}, and turned as {color} as {goods} when asked about {topic}.

At the bottom of a {furniture} in the {room} lay the {relic}, wrapped in {color} {cloth}.
It was {friend} who found the {relic}, {place}, {working}.
The {role}, it turned out, had only {worked} {reason}.
A {bird} had carried the {relic} to its nest {place}, for the sake of the {objpart}.
In the end a {padj} {role} confessed everything {how}, over {food}.

Nobody was punished, {reason}, and {first} {worked}.
{he} [never spoke|seldom spoke|would not speak] of it [again|afterwards], except to [say|remark|repeat] that {gnome}.
The {relic} [went back|was returned|was carried] to its place, and the {roles} {worked} [with easier minds|as before|to
    celebrate].
Had it been worth so much {feeling}, for a {oadj} {relic}?
They still lock the {building} in {town} {when}, because of that {season}.
""",
    "survey": """
The council sent {full} to measure the {ladj} {landform} between {town} and the {hills}, {reason}.
No map shows the {landform} beyond the {hills}, though {full} spent [three|four|five] [summers|winters] in it.
{full} the {trade} went up into the {hills} {once}, to settle where the {river} began.
On the maps of {town} the {hills} are {color}, the {landform} {color}, and the rest is guessed.

{he} took {anobj}, {anobj}, a {badj} {beast} and a {padj} {role} to carry them.
Each morning {he} set up the [theodolite|telescope|quadrant|compass|sextant|spirit level] on a {ladj} {landform} and
    waited {craftadv} for the {shade} to clear.
The {role} held the chain, {first} held the book, and the {beast} ate the {goods}.
From the {landform} to the {tree} was a day, from the {tree} to the {landform} another.
{he} drew the {landform} in {color} ink, and marked with a {flower} where the {fish} were.
At night they ate {food}, listened to the {beast2}, and quarrelled about {topic}.

{time}, {shade} [held|kept|delayed] them for [a week|nine days|a month] in a {bladj} {building} among {goods}.
{time}, the {role} {walked} and did not return until {tod}.
{time}, {he} found {place} a {building} of {material} that nobody had ever mentioned.
{time}, a {badj} {beast} [ate|trampled|tore] [half|part|most] of the map, and the {landform} had to be
    [measured|drawn|climbed] again.
{time}, {he} met a {padj} {role} who {talked}.
Where the {landform} ended stood {tree} and {tree}, and among them {anobj} hung from a branch.

{he} named a {ladj} {landform} after {friend}, who was not pleased.
{he} wrote to {friend} that {claim}, and that the {food} was gone.
{friend} copied the notes {craftadv}, and corrected the {birds}.
The {roles} in the {hills} gave {him} {food}, and {said} that {claim}.
Nothing in {his} notes is so {adj2} as the page about {topic}.

The map hangs in the {building}, {color} with age, and {roles} still [trust|praise|quarrel over] it.
Of what use, asked the [council|{role}|{roles}], is [a map|a drawing|any knowledge] of a {ladj} {landform}?
When {he} came down at last, in {shade}, the {building} seemed {adj2} and the {roles} {padj}.
It was [found|shown|admitted] [later|long afterwards] that the {river} [begins|rises|starts] elsewhere, {place}, in a
    {ladj} {landform}.
""",
    "healer": """
{full} was no doctor, but a {trade} who knew {herb} from {herb} and kept {adverb} silent about {ailment}.
In the {season} of the {bygone} half the {roles} of {town} lay sick with {ailment}.
The house {place} where {full} treated {ailment} smelled of {herb}, {herb} and {goods}.
{roles} with {ailment}, {roles} with {ailment} and a {badj} {beast} waited at the door of {full} {when}.

{he} looked [first|always] at the [hands|eyes|tongue|boots], then at the {garment}, and asked {adverb} about {topic}.
For {ailment} {he} gave {herb} in {drink}, for {ailment} {herb} on a {color} cloth.
In the {room} hung {herb}, {herb} and {flower}, and [no two bottles|hardly two jars|few of the flasks] had the same
    {objpart}.
{his} {kin} had taught {him} to blame {ailment} on {feeling} and {ailment} on {food}.
{he} prescribed {food}, {virtue} and a walk {place}.
The {herb} had to be gathered {when}, {place}, and dried beside {goods}.

{time}, a {padj} {role} was carried in on a {furniture}, and {walked} before {tod}.
{time}, {he} sat up with a {padj} {role} until {tod}, talking about {topic}.
{time}, {he} mistook {herb} for {herb}, and a {role} had {ailment} until {season}.
{time}, the doctor from {far} called {him} {padj}, and afterwards bought {herb} from {him}.
{time}, {friend} brought in a {badj} {beast}, and {he} bound up its leg with {material}.

{friend} held the lamp, {talked}, and learned the uses of {herb}.
{friend} {said} that {claim}, but took the {herb} {how}.
The {padj} ones paid in {goods}, the {padj} ones in {food}, and {he} asked nothing of {roles}.
A {role} cured of {ailment} gave {him} {anobj}, which {he} used for {goods}.

Nobody has such {virtue} now, and half of {street} goes to bed with {ailment}.
In a {oadj} book {he} wrote that {gnome}, and beneath it a cure for {ailment}.
When {he} fell ill, {roles} came from {far} with {herb} and {food}.
How many {roles} of {town} owe their lives to {herb} and {virtue}?
""",
    "farm": """
[The farm|A farm|The first farm] [at the foot|on the edge|in the shadow] of the {hills} grew {crops}, {crops} and, in a
    {wxadj} {season}, nothing at all.
{full} gave up the trade of {trade} {reason}, and took a farm beside a {ladj} {landform}.
A farm beside the {river} is worth two on the {landform}, as every {role} in {town} knows.
It was {season} when {full} first ploughed the {ladj} {landform}, behind a {badj} {beast}.
The {crop} fields of {town} lie {place}, where the {shade} cannot reach them.

In {season} {he} sowed {crops}, in {season} {crops}, and between them {he} {worked}.
The {beasts} were {badj}, the {beasts} {badj}, and the fences {adverb} kept neither in nor out.
{he} knew each {beast} by name, and called the {badj} one after {his} {kin}.
Rows of {tree} and {tree} kept the {wind} wind from the {crops}, and the {birds} from nothing.
{he} set {anobj} among the {crops} to frighten the {birds}, and it frightened the {roles} instead.
The {crops} ripened {when}, {color} at first, then {color}, and smelled of {herb}.

{time}, the {shade} flattened the {crops}, and {he} {worked} until {tod}.
{time}, {insects} came up from the {landform} and ate the {crops} down to the {plantpart}.
{time}, a {badj} {beast} broke into the {building} and was [found|discovered] [asleep|drunk|weeping|hiding] among the
    {goods}.
{time}, {roles} came from {far} to help with the {crop} harvest, {how}.
{time}, {he} dug up {anobj} behind the {building}, green with age.

{friend} came to {work} {when}, and stayed for {food}.
{friend} {said} that {claim}, and advised {him} to keep {beasts}.
At {tod} {friend} carried {food} and {drink} out to the {roles} {place}.
Half the {crop} harvest went to {far} by {vehicle}, a tenth to the {role}, and the rest to the {beasts}.
{he} and {friend} {walked} on the last [evening|morning|night], and [talked|argued|laughed] about {topic}.

A {wxadj} {season}, {he} {said}, is [worth|better than] a {vehicle} of {goods}.
The last cart came in at {tod}, hung with {flower} and {herb}, to the sound of {sound}.
Nothing grows there now but {herb}, and a {bird} nests in the {building}.
""",
}
"""Whole sentences, one a line; an empty line ends a beat of the paragraph."""

TRADES = """
cooper | cooperage | staves, ash hoops, seasoned oak | adze, mallet, drawknife | barrel, cask, pail, tub | shaped,
    hooped, bent
baker | bakehouse | rye flour, yeast, barley meal | peel, dough trough, rolling pin | loaf cake, seed bun, raisin tart,
    biscuit | kneaded, glazed, baked
weaver | weaving shed | warp thread, combed wool, linen yarn | loom, shuttle, bobbin | blanket, shawl, tapestry panel,
    runner | wove, fringed, bordered
potter | pottery | river clay, wet slip, salt glaze | wheel, kiln, wire cutter | bowl, jug, pitcher, crock | threw,
    glazed, fired
blacksmith | forge | bar iron, charcoal, scrap steel | hammer, anvil, pair of bellows | hinge, gate, plough blade, fire
    iron | forged, beat, tempered
clockmaker | clock shop | brass sheet, spring steel, watch oil | file, loupe, small lathe | clock, watch case, sundial,
    chime | assembled, adjusted, cased
bookbinder | bindery | calfskin, marbled paper, flax thread | bone folder, sewing frame, press | ledger, psalter, album,
    almanac | stitched, bound, covered
shipwright | boatyard | larch planks, copper rivets, tar | adze, caulking iron, auger | skiff, ferry, rowing boat,
    lugger | framed, planked, launched
glassblower | glasshouse | white sand, potash, broken glass | blowpipe, pair of shears, furnace | goblet, lamp, flask,
    window pane | blew, spun, annealed
candlemaker | chandlery | beeswax, tallow, cotton wick | dipping frame, copper pan, wick cutter | taper, candle,
    lantern, nightlight | dipped, poured, trimmed
saddler | saddlery | bridle leather, brass studs, horsehair | awl, round knife, stitching clamp | saddle, halter,
    bridle, satchel | stitched, padded, tooled
mason | stone yard | limestone, gritstone, slaked lime | chisel, mallet, plumb line | lintel, milestone, doorstep,
    gatepost | carved, dressed, squared
carpenter | carpentry shop | elm boards, oak pegs, pine planks | plane, saw, bench vice | chair, cradle, table,
    staircase | sawed, planed, jointed
dyer | dyehouse | madder, woad, alum | vat, paddle, drying rack | ribbon, banner, curtain, silk square | steeped, dyed,
    rinsed
tailor | tailoring room | worsted, horn buttons, silk thread | pair of shears, flat iron, tape | coat, waistcoat, cloak,
    gown | cut, pressed, hemmed
cobbler | cobbling stall | sole leather, waxed thread, tacks | last, awl, lapstone | boot, slipper, sandal, clog |
    soled, heeled, stitched
ropemaker | rope walk | hemp, manila fibre, pitch | twisting hook, sledge, hackle | cable, halter, hawser, net |
    twisted, spliced, tarred
printer | printing house | rag paper, lampblack, lead type | press, composing stick, roller | handbill, chapbook,
    almanac, broadsheet | printed, set, proofed
papermaker | paper mill | linen rags, gelatine, clear water | mould, felt press, vat | notebook, envelope, drawing
    sheet, account book | pressed, sized, trimmed
miller | flour mill | wheat, barley, sacking | millstone, hoist, sieve | flour sack, meal bag, feed sack, oat cake |
    filled, weighed, tied
brewer | brewhouse | malt, hops, spring water | mash tun, copper, ladle | ale cask, cider jug, stout bottle, beer barrel
    | filled, tapped, corked
beekeeper | bee garden | clover honey, comb wax, straw | smoker, hive knife, honey press | hive, honey jar, wax block,
    mead bottle | filled, strained, sealed
thatcher | thatching yard | water reed, hazel spars, long straw | leggett, shearing hook, ladder | roof, ridge, haystack
    cover, porch roof | thatched, trimmed, pegged
wheelwright | wheel shop | ash felloes, elm hubs, iron tyres | spokeshave, auger, wheel stool | wheel, cart, wagon,
    barrow | built, spoked, painted
tinsmith | tin shop | tinplate, solder, resin | pair of snips, soldering iron, stake | lantern, kettle, funnel, milk can
    | soldered, seamed, hammered
silversmith | silver shop | sterling sheet, borax, silver wire | planishing hammer, blowpipe, burnisher | spoon, salver,
    brooch, christening cup | raised, chased, engraved
basketmaker | osier yard | willow rods, split cane, rushes | bodkin, pair of shears, lap board | basket, hamper, eel
    trap, cradle | wove, rimmed, lidded
instrument maker | fiddle shop | spruce, maple, gut strings | gouge, scraper, glue pot | fiddle, lute, harp, zither |
    carved, strung, tuned
mapmaker | map room | vellum, walnut ink, colour washes | compass, pair of dividers, fine brush | chart, globe, star
    map, county map | drew, coloured, lettered
hatter | hat shop | felt, shellac, beaver fur | hat block, steam kettle, brush | bonnet, cap, straw hat, hood | blocked,
    trimmed, lined
lensgrinder | lens shop | crown glass, emery, pitch | grinding lap, gauge, lathe | telescope, magnifier, eyepiece,
    signal lamp | ground, polished, mounted
tanner | tannery | oak bark, raw hides, lime | fleshing knife, pit, beam | belt, apron, hide, glove | scraped, tanned,
    curried
chairmaker | turning hut | green beech, rush, ash poles | pole lathe, gouge, shave horse | chair, stool, settle,
    armchair | turned, seated, bent
gardener | walled garden | seedlings, leaf mould, bean poles | spade, dibber, pruning knife | rose tree, melon,
    cucumber, potted fern | planted, grafted, raised
apothecary | herb shop | dried roots, camphor, sweet oil | mortar, alembic, brass scale | ointment, tincture, poultice,
    cough syrup | mixed, distilled, bottled
toymaker | toy shop | limewood, bright paint, sheep wool | penknife, fretsaw, paintbrush | puppet, spinning top, rocking
    horse, doll | carved, jointed, painted
brickmaker | brickfield | brick earth, sand, coal dust | mould, pug mill, barrow | brick, roof tile, chimney pot, drain
    | moulded, dried, fired
lacemaker | lace room | linen thread, pins, parchment | bobbin, pillow, pricker | collar, veil, cuff, table cover |
    worked, starched, edged
netmaker | net loft | tarred twine, cork floats, lead sinkers | netting board, gauge, pair of shears | drift net,
    landing net, crab pot, hammock | knotted, mended, tarred
bellfounder | bell foundry | copper, tin ingots, loam | ladle, pit crane, tuning fork | bell, gong, cannon, door knocker
    | cast, tuned, hung
"""
"""Trade, workshop, materials, tools, products (with their plurals in s) and what is done to these, past tense."""
