select 10 as id, cast('Ann' as varchar(20)) as name
