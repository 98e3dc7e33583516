-- The tables, the function of one call, and a million bookings; psql variables: limit, hot_limit,
-- preload. A row a night, so that two stays of one type wait for each other only where they meet;
-- a third of each page stays free, so that a sale needs no new index entry (HOT).
create table cell (
	row_id int not null,
	night smallint not null,
	sold smallint not null,
	rooms smallint not null,
	primary key (row_id, night),
	check (sold <= rooms)
) with (fillfactor = 66);
create table booking (
	id uuid primary key,
	row_id int not null,
	night smallint not null,
	nights smallint not null
);

insert into cell
select r, n, 0, case when r < 4 then :hot_limit else :limit end
from generate_series(0, 3999) r, generate_series(0, 364) n;

insert into booking
select gen_random_uuid(), 4 + random() * 3995, random() * 362, 3 from generate_series(1, :preload);
update cell set sold = sold + s.count
from (select row_id, night + d as night, count(*) as count
	from booking, generate_series(0, 2) d group by 1, 2) s
where cell.row_id = s.row_id and cell.night = s.night and :preload > 0 and cell.row_id >= 4;

-- 1 done, 0 sold out, 2 repeated. A sold-out stay is seen before anything is written; who loses a
-- race for the last room fails at the check, and the whole statement with him.
create function book(r int, n int, nights int, i uuid) returns int language plpgsql as $$
begin
	if (select min(rooms - sold) from cell where row_id = r and night >= n and night < n + nights)
			<= 0 then
		return case when exists (select from booking where id = i) then 2 else 0 end;
	end if;
	insert into booking (id, row_id, night, nights) values (i, r, n, nights)
		on conflict do nothing;
	if not found then
		return 2;
	end if;
	update cell set sold = sold + 1 where row_id = r and night >= n and night < n + nights;
	return 1;
end $$;

vacuum analyze;
checkpoint;
